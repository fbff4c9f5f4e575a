/** What we sign, AWS's own signers sign the same: random requests of every operation. */
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  awsPresignedQuery,
  httpRequest,
  type ReferenceRequest,
  Sha256,
} from "../../../src/cli/aws-presigner.ts";
import type { Bucket } from "../../../src/config/load.ts";
import { type CustomerKey, customerKey } from "../../../src/keys/customer-key.ts";
import { copySourceKeyHeaders, customerKeyHeaders } from "../../../src/keys/headers.ts";
import { encodeQuery } from "../../../src/s3/api/encode.ts";
import { copySourceHeader, type FieldName, type FieldValues } from "../../../src/s3/api/fields.ts";
import { OPERATION_NAMES, OPERATIONS, sentBy } from "../../../src/s3/api/operations.ts";
import { presignForm } from "../../../src/s3/sign/post-policy.ts";
import { presign } from "../../../src/s3/sign/presign.ts";
import { Signer } from "../../../src/s3/sign/sigv4.ts";

const oneOf = fc.constantFrom;
const isFetchable = (key: string) => !/(^|\/)\.\.?(\/|$)/.test(key);
const unit = fc.oneof(
  oneOf(..."/ +%&=?#~!'()*;:@,$_-.\\\"<>[]{}|^`"),
  fc.string({ unit: "grapheme", maxLength: 1 }),
);
const key = fc
  .array(unit, { minLength: 1, maxLength: 40 })
  .map((units) => units.join(""))
  .filter((text) => text !== "" && text.isWellFormed() && isFetchable(text));
const headerValue = fc
  .string({ unit: oneOf(..."abcXYZ019  /;=,\"'()*%+&~"), minLength: 1, maxLength: 40 })
  .map((text) => text.trim() || "x");
const token = fc.string({ unit: oneOf(..."abcXYZ019/+="), minLength: 1, maxLength: 60 });
const httpDate = fc.nat().map((seconds) => new Date(seconds * 1000).toUTCString());
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** A value for every field, of which each operation takes its own. */
const values: { [Name in FieldName]: fc.Arbitrary<FieldValues[Name]> } = {
  versionId: token,
  contentType: headerValue,
  contentLength: fc.nat(),
  contentMD5: token,
  checksumCRC32: token,
  checksumCRC32C: token,
  checksumCRC64NVME: token,
  checksumSHA1: token,
  checksumSHA256: token,
  checksumAlgorithm: oneOf("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"),
  checksumType: oneOf("COMPOSITE", "FULL_OBJECT"),
  cacheControl: headerValue,
  contentDisposition: headerValue,
  contentEncoding: headerValue,
  contentLanguage: headerValue,
  expires: httpDate,
  metadata: fc.dictionary(
    fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,12}$/),
    fc.oneof(headerValue, fc.constant("")),
    { maxKeys: 4 },
  ),
  tagging: oneOf("a=1", "a%20b=c%2Bd&e=", "%C3%BC=%E2%9C%93"),
  storageClass: oneOf("STANDARD", "REDUCED_REDUNDANCY"),
  websiteRedirectLocation: oneOf("/index.html", "https://example.com/?a=b&c"),
  objectLockMode: oneOf("GOVERNANCE", "COMPLIANCE"),
  objectLockRetainUntilDate: fc.constant("2030-01-01T00:00:00.000Z"),
  objectLockLegalHoldStatus: oneOf("ON", "OFF"),
  ifNoneMatch: fc.constant("*"),
  ifMatch: headerValue,
  objectAttributes: oneOf("ETag", "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"),
  response: fc.record({ contentType: headerValue, contentDisposition: headerValue }, { requiredKeys: [] }),
  uploadId: token,
  partNumber: fc.integer({ min: 1, max: 10_000 }),
  partNumberMarker: fc.nat(),
  maxParts: fc.nat(),
  source: fc.record({ bucket: fc.constant("from"), key, versionId: optional(token) }),
  sourceRange: fc.constant("bytes=0-9"),
  ifSourceMatch: headerValue,
  ifSourceNoneMatch: headerValue,
  ifSourceModifiedSince: httpDate,
  ifSourceUnmodifiedSince: httpDate,
  metadataDirective: oneOf("COPY", "REPLACE"),
  taggingDirective: oneOf("COPY", "REPLACE"),
  contentTypePrefix: oneOf("image/", "text/x"),
  minBytes: fc.nat(),
  maxBytes: fc.nat(),
  successActionRedirect: fc.constant("https://app.example.com/done?a=b"),
  successActionStatus: oneOf(200, 201, 204),
};

const customerKeys = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((raw): CustomerKey => customerKey("k", raw));
/** Around midnight, where one signing key gives way to the next. */
const date = fc
  .record({
    day: oneOf("2026-11-24", "2027-01-01", "2028-02-29"),
    second: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -86_400, max: 86_400 })),
    millisecond: fc.integer({ min: 0, max: 999 }),
  })
  .map(({ day, second, millisecond }) => new Date(Date.parse(day) + second * 1000 + millisecond));

/** Few of them, so that what is remembered of one meets the next. */
const credentials = oneOf(
  { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  { accessKeyId: "CW+/=KEY", secretAccessKey: "s/e+c=r é t", sessionToken: "token/+=&? x" },
  { accessKeyId: "A", secretAccessKey: "x".repeat(200), sessionToken: "t".repeat(1500) },
);
const buckets: readonly Bucket[] = [
  ["https://cwobject.com", "US-EAST-04A", "virtual"],
  ["https://s3.example.com:8443", "us-east-1", "virtual"],
  ["http://127.0.0.1:9000", "auto", "path"],
  ["https://store.example.com", "a-region-with-a-name-that-fills-a-block-of-sixty-four-bytes", "path"],
].map(([endpoint = "", region = "", addressing]) => ({
  name: "media",
  storeBucket: "acme-media",
  store: {
    name: "s",
    endpoint,
    region,
    addressing: addressing as "path" | "virtual",
    accessKeyId: "",
    secretAccessKey: "",
  },
  keys: [],
}));

const request = fc
  .record({
    operation: oneOf(...OPERATION_NAMES),
    bucket: oneOf(...buckets),
    key,
    customerKey: customerKeys,
    sourceKey: customerKeys,
    credentials,
    date,
    expiresIn: fc.integer({ min: 1, max: 604_800 }),
    given: fc.record(values, { requiredKeys: ["uploadId", "partNumber", "source"] }),
  })
  .map(({ given, ...rest }) => {
    const { method, fields, required = [], query, customerKey: which } = OPERATIONS[rest.operation];
    const taken = [...fields, ...required] as FieldName[];
    const sent = sentBy(rest.operation, Object.fromEntries(taken.map((name) => [name, given[name]])));
    const source = taken.includes("source") ? given.source : undefined;
    const headers = {
      ...sent.headers,
      ...(source && { "x-amz-copy-source": copySourceHeader("from", source) }),
      ...(source && copySourceKeyHeaders(rest.sourceKey)),
      ...(which !== "none" && customerKeyHeaders(rest.customerKey)),
    };
    return { ...rest, method, query: { ...query, ...sent.query }, headers };
  });

type Generated = typeof request extends fc.Arbitrary<infer T> ? T : never;

const referenceOf = ({ method, bucket, key, query, headers }: Generated): ReferenceRequest => ({
  method,
  endpoint: bucket.store.endpoint,
  region: bucket.store.region,
  bucket: bucket.storeBucket,
  addressing: bucket.store.addressing,
  key,
  query,
  headers,
});

const urlsAndForms = (numRuns: number) =>
  fc.assert(
    fc.asyncProperty(request, async (generated) => {
      const { operation, bucket, key, headers, credentials, date, expiresIn } = generated;
      const signing = { credentials, signingDate: date, expiresIn };
      if (operation === "PostObject") {
        const { fields } = presignForm({ bucket, key: { exactly: key }, fields: headers }, signing);
        expect(fields["x-amz-signature"]).toBe(
          await smithy(bucket, credentials).sign(fields.policy ?? "", { signingDate: date }),
        );
        return;
      }
      const reference = referenceOf(generated);
      const { url } = presign(generated, signing);
      const [path, query] = url.split("?");
      expect(`${new URL(url).protocol}//${new URL(url).host}`).toBe(new URL(path ?? "").origin);
      expect(path?.endsWith(httpRequest(reference).path)).toBe(true);
      expect(parse(query)).toEqual(await awsPresignedQuery(reference, signing));
      expect(decodeURIComponent(url)).not.toContain(generated.customerKey.base64);
      expect(decodeURIComponent(url)).not.toContain(generated.sourceKey.base64);
    }),
    { numRuns },
  );

const whatTheServiceSends = (numRuns: number) =>
  fc.assert(
    fc.asyncProperty(request, async (generated) => {
      const { bucket, credentials, date, method, query } = generated;
      const headers = lowerCased({ ...generated.headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" });
      const sdk = httpRequest({ ...referenceOf(generated), headers });
      const host = sdk.port === undefined ? sdk.hostname : `${sdk.hostname}:${sdk.port}`;
      const signed = await smithy(bucket, credentials).sign(
        { ...sdk, headers: { ...headers, host } },
        { signingDate: date, signableHeaders: new Set(Object.keys(headers)) },
      );
      const ours = new Signer(credentials, bucket.store.region).authorize(
        { method, host, path: sdk.path, query: encodeQuery(query), headers },
        date,
      );
      expect({ ...ours, host }).toEqual(signed.headers);
    }),
    { numRuns },
  );

test("URLs and forms", () => urlsAndForms(1000));
test("URLs and forms, 20,000 of them", { tags: ["thorough"] }, () => urlsAndForms(20_000));
test("what the service sends itself", () => whatTheServiceSends(200));
test("what the service sends itself, 2000 times", { tags: ["thorough"] }, () => whatTheServiceSends(2000));

function smithy({ store: { region } }: Bucket, credentials: Generated["credentials"]) {
  return new SignatureV4({ credentials, region, service: "s3", sha256: Sha256, uriEscapePath: false });
}

function parse(query = ""): Record<string, string> {
  return Object.fromEntries(
    query.split("&").map((pair) => pair.split("=").map(decodeURIComponent) as [string, string]),
  );
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
