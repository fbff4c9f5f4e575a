/** Requests of S3's own clients, signed as theirs are: one of the forms that a place has there, nearly always in order. */
import { createHash } from "node:crypto";
import aws4 from "aws4";
import fc from "fast-check";
import { formsAt } from "../../src/gateway/operations.ts";
import type { Operation } from "./described.ts";
import { type Asked, KNOWN, odd, type Pool, pathOf, percent, type Signer } from "./known.ts";

const PLACES: Readonly<Record<string, string>> = {
  "/s3": "service",
  "/s3/{bucket}": "bucket",
  "/s3/{bucket}/{key}": "object",
};

/** Of parameters whose values are not any text. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "list-type": ["2"],
  "encoding-type": ["url"],
  "fetch-owner": ["true"],
  "max-keys": ["1", "3", "1000"],
  "max-uploads": ["1", "1000"],
  "max-buckets": ["1", "10"],
  "max-parts": ["1", "1000"],
  delimiter: ["/", "b"],
  prefix: KNOWN.prefix ?? [],
  partNumber: ["1", "1", "2", "10000"],
  versionId: ["null"],
};
const FLAGS = ["uploads", "delete", "location", "tagging", "attributes"];
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  range: ["bytes=0-1", "bytes=-1", "bytes=999-", "lines=1"],
  "if-match": ["*", '"x"'],
  "if-none-match": ["*", '"x"'],
  "content-type": ["text/plain", "image/png"],
  "x-amz-meta-a": ["b", "c d"],
  "x-amz-object-attributes": ["ETag,ObjectSize", "ObjectParts", "Nothing"],
  "x-amz-tagging": ["a=b", "a"],
  "x-amz-acl": ["private", "public-read"],
  "x-amz-server-side-encryption-customer-algorithm": ["AES256"],
};

/** @param own credentials of a caller with a token; those of sessions are the pool's */
export function s3RequestTo(
  method: string,
  path: string,
  operation: Operation,
  own: Signer,
  pool: Pool,
): fc.Arbitrary<Asked> {
  const forms = formsAt(PLACES[path] ?? "", method.toUpperCase());
  const pick = (values: readonly string[] = [""]) => fc.constantFrom(...values);
  return fc.constantFrom(...forms).chain(([name, { markers, header, parameters }]) => {
    const needed = name === "GetObjectAttributes" ? ["x-amz-object-attributes"] : [];
    return fc
      .record({
        bucket: pick(KNOWN.bucket),
        key: pick(KNOWN.key),
        source: pick(KNOWN.key),
        given: fc.subarray([...parameters], { maxLength: Math.min(parameters.length, 2) }),
        headers: fc.oneof(
          { weight: 1, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.subarray(Object.keys(HEADERS), { maxLength: 2 }) },
        ),
        stranger: odd,
        body: fc.string({ maxLength: 200 }),
        spoil: fc.nat(30),
        seed: fc.nat(10_000),
      })
      .map(({ bucket, key, source, given, headers, stranger, body, spoil, seed }): Asked => {
        const isFollowUp = markers.includes("uploadId");
        const uploads = name === "CompleteMultipartUpload" ? pool.completable : pool.uploads;
        const upload = isFollowUp ? uploads[seed % Math.max(1, uploads.length)] : undefined;
        const at = upload ?? { bucket, key };
        const value = (parameter: string) =>
          parameter === "uploadId"
            ? (upload?.uploadId ?? "none")
            : (VALUES[parameter]?.[seed % (VALUES[parameter]?.length ?? 1)] ?? "a");
        const query = [...markers, ...given].map((each) =>
          FLAGS.includes(each) ? each : `${each}=${percent(spoil === 1 ? stranger : value(each))}`,
        );
        if (spoil === 2) query.push("strange=1");
        const address = path
          .replace("{bucket}", () => pathOf(at.bucket, false))
          .replace("{key}", () => pathOf(at.key, true));
        const url = address + (query.length > 0 ? `?${query.join("&")}` : "");
        const content = Buffer.from(spoil === 3 ? body : (bodyOf(name, upload?.parts) ?? body));
        const etag = pool.etags.get(address);
        const isSent = method === "put" || method === "post";
        const chosen = Object.fromEntries(
          [...needed, ...headers].map((each) => [each, HEADERS[each]?.[seed % HEADERS[each].length] ?? ""]),
        );
        if (/^(Get|Head)Object$/.test(name) && etag !== undefined && seed % 4 === 1)
          chosen["if-none-match"] = etag;
        for (const each of ["if-match", "if-none-match"])
          if (each in chosen && etag !== undefined && seed % 3 > 0) chosen[each] = etag;
        return {
          method,
          url,
          headers: signed(
            method,
            url,
            {
              ...chosen,
              ...(header && { [header]: `/${at.bucket}/${pathOf(source, true)}` }),
              ...(name === "DeleteObjects" && {
                "content-md5": createHash("md5").update(content).digest("base64"),
              }),
            },
            isSent ? content : Buffer.of(),
            spoil === 4
              ? { ...own, secretAccessKey: "nobodys" }
              : (seed % 4 === 0 && pool.signers[seed % pool.signers.length]) || own,
          ),
          body: isSent ? content : undefined,
          operation,
          path,
          json: undefined,
        };
      });
  });
}

function bodyOf(
  name: string,
  parts: readonly { partNumber: number; etag: string }[] = [],
): string | undefined {
  if (name === "DeleteObjects")
    return "<Delete><Object><Key>x</Key></Object><Object><Key>y</Key></Object></Delete>";
  if (name === "CompleteMultipartUpload")
    return `<CompleteMultipartUpload>${parts
      .map(
        ({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`,
      )
      .join("")}</CompleteMultipartUpload>`;
  if (name === "PutObjectTagging")
    return "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
  return /^(Copy|Create|UploadPartCopy)/.test(name) ? "" : undefined;
}

/** The headers, with those that sign them and the body. */
function signed(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  signer: Signer,
): Record<string, string> {
  const request = {
    ...{ method: method.toUpperCase(), path, host: HOST, service: "s3", region: "us-east-1" },
    headers: {
      host: HOST,
      "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
      ...headers,
    },
  };
  return aws4.sign(request, signer).headers as Record<string, string>;
}

/** Under this name any Worker of the tests takes what is signed, whatever its port. */
const HOST = "127.0.0.1";
