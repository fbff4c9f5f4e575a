/** `ssec-edge/presign`, as those use it who have no service. */
import { hkdfSync } from "node:crypto";
import { expect, test } from "vitest";
import {
  type CustomerKey,
  CustomerKeyError,
  customerKey,
  customerKeyHeaders,
  deriveObjectKey,
  OPERATIONS,
  type OperationName,
  PresignError,
  type PresignRequest,
  presign,
  presignForm,
} from "../../src/presign.ts";

const SECRET = "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=";
const key = customerKey(SECRET);
const other = customerKey("6b+WOZ1T3cqZMxgThRcXAQBrS5mXKdDUphvpxptl9/4=");
const store = {
  endpoint: "https://cwobject.com",
  region: "US-EAST-04A",
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "secret",
};
const signingDate = new Date("2026-01-01T00:00:00Z");
const options = { store, customerKey: key, signingDate };
const get = { operation: "GetObject", bucket: "bkt", key: "a/b c.txt", expiresIn: 60 } as const;

const signatureOf = (url: string) => new URL(url).searchParams.get("X-Amz-Signature");

/** `path: message` of everything that is wrong. */
function faultsOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof PresignError) return error.errors.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

test("a request as other signers sign it", () => {
  const { method, url, headers, expiresAt } = presign(get, options);
  expect(method).toBe("GET");
  expect(url).toMatch(/^https:\/\/bkt\.cwobject\.com\/a\/b%20c\.txt\?/);
  expect(signatureOf(url)).toBe("919eea0ff85e28b76c4a5fe0dbc606bf9991aadf74fedb1346b17411eee48099");
  expect(expiresAt).toBe("2026-01-01T00:01:00Z");
  expect(headers).toEqual({
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": SECRET,
    "x-amz-server-side-encryption-customer-key-MD5": "DWygnHRtgiJ77HCm+1rvHw==",
  });
  expect(customerKeyHeaders(key)).toEqual(headers);
});

const FIELDS: Readonly<Record<string, unknown>> = {
  uploadId: "upload",
  partNumber: 1,
  source: { bucket: "from", key: "k" },
  objectAttributes: ["ETag"],
};
const names = Object.keys(OPERATIONS).filter(
  (name) => name !== "PostObject",
) as PresignRequest["operation"][];

test.each(names)("%s: keys are in headers that are signed, and nowhere in the URL", (operation) => {
  const { required = [], customerKey: which } = OPERATIONS[operation];
  const fields = Object.fromEntries(required.map((name) => [name, FIELDS[name]]));
  const request = { operation, bucket: "bkt", key: "k", ...fields } as PresignRequest;
  const { url, headers, expiresAt } = presign(request, { ...options, sourceKey: other });
  expect(url).not.toContain(encodeURIComponent(SECRET));
  expect(url).not.toContain(encodeURIComponent(other.base64));
  expect(Object.values(headers).includes(SECRET)).toBe(which !== "none");
  expect(Object.values(headers).includes(other.base64)).toBe("source" in fields);
  const signed = new URL(url).searchParams.get("X-Amz-SignedHeaders")?.split(";");
  expect(Object.keys(headers).filter((name) => !signed?.includes(name.toLowerCase()))).toEqual([]);
  expect(expiresAt).toBe(which === "none" ? "2026-01-01T00:01:00Z" : "2026-01-01T00:15:00Z");
});

test("a form", () => {
  const { method, url, fields } = presignForm({ bucket: "bkt", keyPrefix: "in/", maxBytes: 10 }, options);
  expect([method, url]).toEqual(["POST", "https://bkt.cwobject.com/"]);
  expect(fields).toMatchObject({ key: "in/${filename}", ...customerKeyHeaders(key) });
  const policy = JSON.parse(atob(fields.policy ?? ""));
  expect(policy.expiration).toBe("2026-01-01T00:15:00.000Z");
  expect(policy.conditions).toContainEqual(["content-length-range", 0, 10]);
  expect(JSON.stringify(policy)).not.toContain(SECRET);
});

test("tags go as the body that is signed", () => {
  const tags = { operation: "PutObjectTagging", bucket: "bkt", key: "k", tagging: { a: "ü+" } } as const;
  const { body, headers } = presign(tags, { store });
  expect(body).toContain("<Key>a</Key><Value>ü+</Value>");
  expect(headers["content-md5"]).toMatch(/^[A-Za-z0-9+/]{22}==$/);
});

test("everything that is wrong is said at once, and nothing of what was given", () => {
  const faults = faultsOf(() =>
    presign(
      { operation: "PutObject", bucket: "bkt", key: "", contentTyp: "text/plain" } as unknown as typeof get,
      { store: { ...store, endpoint: "http://store.example.com", secretAccessKey: "" } },
    ),
  );
  expect(faults.sort()).toEqual([
    "contentTyp: is not a field here",
    "customerKey: is required",
    "key: must not be empty",
    "store.endpoint: sends customer keys over plain http: use https, or say insecure = true",
    "store.secretAccessKey: must not be empty",
  ]);
});

test.each([
  ["customerKey", get, { store }],
  ["customerKey", get, { store, customerKey: SECRET as unknown as CustomerKey }],
  ["sourceKey", get, { ...options, sourceKey: SECRET as unknown as CustomerKey }],
  ["bucket", { ...get, bucket: "evil.example.com/x?" }, options],
  ["bucket", { ...get, bucket: "Media" }, options],
  ["keyId", { ...get, keyId: "k1" }, options],
  ["snippet", { ...get, snippet: "curl" }, options],
  ["expiresIn", { ...get, expiresIn: 604_801 }, options],
  ["key", { ...get, key: "a/../b" }, options],
  ["key", { ...get, key: "\ud800" }, options],
  ["contentType", { ...get, operation: "PutObject", contentType: "image/png,text/html" }, options],
  ["operation", { ...get, operation: "PostObject" }, options],
  ["operation", { ...get, operation: "toString" }, options],
  ["signingDate", get, { ...options, signingDate: new Date("never") }],
  ["store", get, { ...options, store: undefined as unknown as typeof store }],
  ["store.addressing", get, { ...options, store: { ...store, addressing: "host" as "path" } }],
  ["source.bucket", { ...get, operation: "CopyObject", source: { bucket: "a/b", key: "k" } }, options],
  [
    "source.keyId",
    { ...get, operation: "CopyObject", source: { bucket: "abc", key: "k", keyId: "k" } },
    options,
  ],
])("refused: %s, %j", (path, request, given) => {
  const faults = faultsOf(() => presign(request as PresignRequest, given));
  expect(faults.map((fault) => fault.slice(0, fault.indexOf(":")))).toEqual([path]);
  expect(faults.join()).not.toContain(SECRET);
});

test("a store that is changed in place signs as it now is", () => {
  const changing = { ...store };
  const before = signatureOf(presign(get, { ...options, store: changing }).url);
  changing.secretAccessKey = "another";
  const after = signatureOf(presign(get, { ...options, store: changing }).url);
  expect(after).not.toBe(before);
  expect(after).toBe(signatureOf(presign(get, { ...options, store: { ...changing } }).url));
  changing.endpoint = "https://store.example.com";
  expect(presign(get, { ...options, store: changing }).url).toMatch(/^https:\/\/bkt\.store\.example\.com\//);
});

test("derived keys are HKDF's, whatever becomes of the array that held the root", () => {
  const root = Uint8Array.from(atob(SECRET), (c) => c.charCodeAt(0));
  const expected = hkdfSync("sha256", root, "", "ssec-edge/v1\nbkt\nü", 32);
  expect(deriveObjectKey(root, "bkt", "ü")).toEqual(new Uint8Array(expected));
  expect(deriveObjectKey(SECRET, "bkt", "ü")).toEqual(new Uint8Array(expected));
  root[0] = (root[0] ?? 0) ^ 1;
  expect(deriveObjectKey(root, "bkt", "ü")).not.toEqual(new Uint8Array(expected));
  expect(faultsOf(() => deriveObjectKey(SECRET, "", "\udc00"))).toHaveLength(2);
});

test("keys are taken as bytes or as canonical base64, and not at all otherwise", () => {
  expect(customerKey(Uint8Array.from(atob(SECRET), (c) => c.charCodeAt(0)))).toEqual(key);
  for (const wrong of ["", `${SECRET}\n`, SECRET.slice(0, -1), new Uint8Array(16), undefined, 42]) {
    expect(() => customerKey(wrong as string)).toThrow(CustomerKeyError);
    expect(() => deriveObjectKey(wrong as string, "bkt", "k")).toThrow(CustomerKeyError);
  }
});

test("types know each operation's fields", () => {
  const name: OperationName = "PutObject";
  const wrong = () => {
    // @ts-expect-error: a part has a number
    presign({ operation: "UploadPart", bucket: "bkt", key: "k", uploadId: "u" }, options);
    // @ts-expect-error: nothing is read by an upload id
    presign({ ...get, uploadId: "u" }, options);
    // @ts-expect-error: of another kind
    presign({ operation: name, bucket: "bkt", key: "k", contentLength: "1" }, options);
    // @ts-expect-error: a key, or what keys begin with
    presignForm({ bucket: "bkt" }, options);
  };
  expect(wrong).toThrow(PresignError);
});
