/** Who may do what: a table of verdicts, and the rule behind it for whatever bytes a caller may send. */
import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { createApp } from "../../src/http/create-app.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../src/s3/api/operations.ts";
import { HOSTILE_TYPES, leastOf, mostOf } from "../s3/api/samples.ts";
import { character } from "../support/character.ts";

const app = createApp();

const random = (bytes: number) =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("base64");
const store = {
  endpoint: "http://127.0.0.1:9",
  region: "r",
  addressing: "path",
  accessKeyId: "STORE_ID",
  secretAccessKey: "STORE_SECRET",
};
const grant = (bucket: string, prefix: string, allow: string[], more = {}) => ({
  bucket,
  prefix,
  allow,
  ...more,
});
const CALLERS = {
  owner: [
    grant("media", "", ["read", "write", "delete", "admin"]),
    grant("other", "", ["read", "write"]),
    grant("loose", "", ["read", "write", "delete"]),
  ],
  reader: [grant("media", "", ["read"])],
  writer: [grant("media", "in/", ["write"])],
  eraser: [grant("media", "tmp/", ["delete"])],
  acme: [
    grant("media", "acme/", ["read", "write"], { maxBytes: 1000 }),
    // The narrower grant is the freer one: either suffices.
    grant("media", "acme/big/", ["write"], { maxBytes: 1_000_000, maxExpiresIn: 60 }),
    grant("media", "acme/pics/", ["write"], { contentTypes: ["image/*", "application/pdf"] }),
    grant("other", "acme/", ["read"]),
  ],
  pics: [grant("media", "pics/", ["read", "write"], { contentTypes: ["image/*", "application/pdf"] })],
  admin: [grant("media", "", ["admin"])],
} as const;
const env: Record<string, unknown> = {
  STORES: { main: store, loose: { ...store, presignedUploads: false } },
  KEYS: { k1: { secret: "KEY_1" } },
  BUCKETS: {
    media: { store: "main", keys: ["k1"] },
    other: { store: "main", keys: ["k1"] },
    loose: { store: "loose", keys: ["k1"] },
  },
  CALLERS: Object.fromEntries(
    Object.entries(CALLERS).map(([name, grants]) => [name, { token: name.toUpperCase(), grants }]),
  ),
  STORE_ID: "AKIDEXAMPLE",
  STORE_SECRET: random(30),
  KEY_1: random(32),
  ...Object.fromEntries(Object.keys(CALLERS).map((name) => [name.toUpperCase(), random(24)])),
};

beforeAll(() => void vi.spyOn(console, "log").mockImplementation(() => {}));

async function ask(
  caller: keyof typeof CALLERS,
  path: string,
  body: unknown,
): Promise<{ status: number; answer: never }> {
  const headers = { authorization: `Bearer ${env[caller.toUpperCase()]}` };
  const response = await app.request(path, { method: "POST", headers, body: JSON.stringify(body) }, env);
  return { status: response.status, answer: (await response.json()) as never };
}

describe("the table", () => {
  type Row = readonly [keyof typeof CALLERS, string, string, string, object, 200 | string];
  const copy = (bucket: string, key: string) => ({ source: { bucket, key } });
  const part = (sourceRange: string) => ({
    ...copy("other", "acme/b"),
    uploadId: "u",
    partNumber: 1,
    sourceRange,
  });
  const png = { contentType: "image/png", metadataDirective: "REPLACE" };
  const table: Row[] = [
    ["owner", "GetObject", "media", "a", {}, 200],
    ["owner", "DeleteObject", "media", "a", {}, 200],
    ["owner", "DeleteObject", "other", "a", {}, "forbidden"],
    ["owner", "GetObject", "nowhere", "a", {}, "forbidden"],
    ["owner", "GetObject", "MEDIA", "a", {}, "forbidden"],
    ["owner", "GetObject", "__proto__", "a", {}, "forbidden"],
    ["owner", "CopyObject", "media", "a", copy("other", "b"), 200],
    ["reader", "GetObject", "media", "a", {}, 200],
    ["reader", "HeadObject", "media", "a/b/c", {}, 200],
    ["reader", "PutObject", "media", "a", {}, "forbidden"],
    ["reader", "CopyObject", "media", "a", copy("media", "b"), "forbidden"],
    ["reader", "ListParts", "media", "a", { uploadId: "u" }, "forbidden"],
    ["reader", "AbortMultipartUpload", "media", "a", { uploadId: "u" }, "forbidden"],
    ["writer", "PutObject", "media", "in/a", {}, 200],
    ["writer", "PutObject", "media", "in", {}, "forbidden"],
    ["writer", "PutObject", "media", "In/a", {}, "forbidden"],
    ["writer", "PutObject", "media", "in/../a", {}, "invalid-request"],
    ["writer", "PutObject", "media", "in//a", {}, 200],
    ["writer", "GetObject", "media", "in/a", {}, "forbidden"],
    ["writer", "CopyObject", "media", "in/a", copy("media", "in/b"), "forbidden"],
    [
      "writer",
      "UploadPartCopy",
      "media",
      "in/a",
      { ...copy("media", "in/b"), uploadId: "u", partNumber: 1 },
      "forbidden",
    ],
    ["writer", "CompleteMultipartUpload", "media", "in/a", { uploadId: "u" }, 200],
    ["eraser", "DeleteObject", "media", "tmp/a", {}, 200],
    ["eraser", "DeleteObject", "media", "a", {}, "forbidden"],
    ["eraser", "PutObject", "media", "tmp/a", {}, "forbidden"],
    ["acme", "PutObject", "media", "acme/a", { contentLength: 1000 }, 200],
    ["acme", "PutObject", "media", "acme/a", { contentLength: 1001 }, "too-large"],
    ["acme", "PutObject", "media", "acme/a", {}, "length-required"],
    ["acme", "PutObject", "media", "acme/big/a", { contentLength: 1_000_000 }, 200],
    ["acme", "PutObject", "media", "acme/big/a", { contentLength: 1_000_001 }, "too-large"],
    ["acme", "PutObject", "media", "acme/big/a", { contentLength: 10, expiresIn: 3600 }, 200],
    ["acme", "PutObject", "media", "acme/big/a", { contentLength: 10_000, expiresIn: 61 }, "invalid-request"],
    ["acme", "PutObject", "media", "acme/pics/a", { contentType: "image/png" }, 200],
    ["acme", "PutObject", "media", "acme/pics/a", { contentType: "application/pdf" }, 200],
    ["acme", "PutObject", "media", "acme/pics/a", { contentType: "text/html" }, "unsupported-type"],
    ["acme", "PutObject", "media", "acme/pics/a", { contentType: "text/html", contentLength: 5 }, 200],
    ["acme", "UploadPart", "media", "acme/a", { uploadId: "u", partNumber: 1 }, "length-required"],
    ["acme", "CompleteMultipartUpload", "media", "acme/a", { uploadId: "u" }, "forbidden"],
    ["acme", "PostObject", "media", "acme/a", { maxBytes: 1001 }, "too-large"],
    ["acme", "UploadPartCopy", "media", "acme/a", part("bytes=0-999"), 200],
    ["acme", "UploadPartCopy", "media", "acme/a", part("bytes=1-1001"), "too-large"],
    ["pics", "CopyObject", "media", "pics/a", { ...copy("media", "pics/b"), ...png }, 200],
    ["pics", "CopyObject", "media", "pics/a", copy("media", "pics/b"), "unsupported-type"],
    ["acme", "GetObjectTagging", "media", "acme/a", {}, 200],
    ["acme", "PutObjectTagging", "media", "acme/a", { tagging: { a: "b" } }, 200],
    ["acme", "PutObjectTagging", "media", "a", {}, "forbidden"],
    ["reader", "GetObjectTagging", "media", "a", {}, 200],
    ["reader", "GetObjectAttributes", "media", "a", { objectAttributes: ["ETag"] }, 200],
    ["reader", "PutObjectTagging", "media", "a", {}, "forbidden"],
    ["reader", "DeleteObjectTagging", "media", "a", {}, "forbidden"],
    ["writer", "GetObjectTagging", "media", "in/a", {}, "forbidden"],
    ["writer", "GetObjectAttributes", "media", "in/a", { objectAttributes: ["ETag"] }, "forbidden"],
    ["writer", "PutObjectTagging", "media", "in/a", {}, 200],
    ["writer", "DeleteObjectTagging", "media", "in/a", {}, 200],
    ["eraser", "DeleteObjectTagging", "media", "tmp/a", {}, "forbidden"],
    ["acme", "CopyObject", "media", "acme/a", copy("other", "b"), "forbidden"],
    ["acme", "CopyObject", "other", "acme/a", copy("media", "acme/b"), "forbidden"],
    ["admin", "GetObject", "media", "a", {}, "forbidden"],
    ["admin", "PutObject", "media", "a", {}, "forbidden"],
    ["admin", "DeleteObject", "media", "a", {}, "forbidden"],
  ];
  test.for(table)("%s: %s %s/%s %j: %s", async ([caller, operation, bucket, key, options, verdict]) => {
    const request = { operation, bucket, key, ...options };
    const { status, answer } = await ask(caller, "/v1/presign", request);
    expect(status === 200 ? 200 : (answer as { code: string }).code).toBe(verdict);
    // The same in a batch.
    const batch = await ask(caller, "/v1/presign/batch", { requests: [request] });
    const [result] = (batch.answer as { results: { problem?: { code: string } }[] }).results;
    expect(result?.problem?.code ?? 200).toBe(verdict);
  });
});

describe("a limit to types", () => {
  /** A caller of images and PDFs: every operation that decides an object's type. */
  const typed = OPERATION_NAMES.filter((operation) => "typed" in OPERATIONS[operation]);
  const request = (operation: (typeof OPERATION_NAMES)[number], contentType: string) => ({
    operation,
    bucket: "media",
    key: "pics/a",
    ...leastOf(operation),
    ...(operation === "CopyObject" && {
      source: { bucket: "media", key: "pics/b" },
      metadataDirective: "REPLACE",
    }),
    contentType,
  });

  test.for(typed)("of %s holds whatever is spelled", async (operation) => {
    for (const contentType of [...HOSTILE_TYPES, "text/html", "image", "images/png", "application/pdfx"]) {
      const { status, answer } = await ask("pics", "/v1/presign", request(operation, contentType));
      expect(["invalid-request", "unsupported-type"], contentType).toContain((answer as Refusal).code);
      expect([400, 415], contentType).toContain(status);
    }
  });

  // This caller may read no source of a copy.
  const own = typed.filter((operation) => operation !== "CopyObject");
  test.for(own)("where there is none, %s takes no type that is none", async (operation) => {
    for (const contentType of HOSTILE_TYPES) {
      const wanted = { ...request(operation, contentType), key: "in/a" };
      const { status, answer } = await ask("writer", "/v1/presign", wanted);
      expect([status, (answer as Refusal).code], contentType).toEqual([400, "invalid-request"]);
    }
  });

  test("of the server's own uploads as well", async () => {
    for (const contentType of HOSTILE_TYPES) {
      const create = { bucket: "media", key: "pics/a", contentType };
      const { status } = await ask("pics", "/v1/multipart", create);
      // What no header can hold is wrong whoever asks; the rest is no type that this caller may upload.
      expect(status, contentType).toBe(/^[!-~]([ -~]*[!-~])?$/.test(contentType) ? 415 : 400);
    }
  });

  test("leaves no form whose user sets the type", async () => {
    const form = { operation: "PostObject", bucket: "media", key: "pics/a", contentTypePrefix: "image/" };
    expect(await ask("owner", "/v1/presign", form)).toMatchObject({ status: 200 });
    expect(await ask("pics", "/v1/presign", form)).toMatchObject({
      status: 415,
      answer: { errors: [{ path: "contentTypePrefix" }] },
    });
  });
});

interface Refusal {
  code: string;
  detail: string;
}

describe("a store that takes headers which nobody signed", () => {
  const STAY = ["PostObject", "DeleteObject", "AbortMultipartUpload", "ListParts", "DeleteObjectTagging"];

  test.for(OPERATION_NAMES)("%s", async (operation) => {
    const isHanded = OPERATIONS[operation].permission === "read" || STAY.includes(operation);
    for (const fields of [leastOf(operation), mostOf(operation)]) {
      const source = "source" in fields && { source: { bucket: "loose", key: "b", keyId: "k1" } };
      const request = { operation, bucket: "loose", key: "a", ...fields, ...source };
      const single = await ask("owner", "/v1/presign", request);
      const batch = await ask("owner", "/v1/presign/batch", { requests: [request] });
      const [inBatch] = (batch.answer as { results: { problem?: Refusal; url?: string }[] }).results;
      expect(single.status).toBe(isHanded ? 200 : 403);
      expect(inBatch?.problem?.code).toBe(isHanded ? undefined : "forbidden");
      if (isHanded) continue;
      for (const { detail } of [single.answer as Refusal, inBatch?.problem as Refusal]) {
        expect(detail).toContain("PUT /v1/objects/");
        expect(detail).toContain("PostObject");
      }
    }
  });

  test("signs no parts", async () => {
    const request = { bucket: "loose", key: "a", keyId: "k1", uploadId: "u", partNumbers: [1] };
    const { status, answer } = await ask("owner", "/v1/multipart/sign", request);
    expect(status).toBe(403);
    expect((answer as Refusal).detail).toContain("PUT /v1/objects/");
    expect((await ask("owner", "/v1/multipart/sign", { ...request, bucket: "media" })).status).toBe(200);
  });

  test("is gone around by Uppy, through the edge", async () => {
    for (const request of [
      { method: "PUT", key: "a" },
      { method: "PUT", key: "a", uploadId: "u", partNumber: 1 },
    ]) {
      const url = async (more: object) =>
        (await ask("owner", "/v1/uppy/loose/sign", { ...request, ...more })).answer;
      expect(await url({})).toMatchObject({
        headers: {},
        url: expect.stringMatching("^http://localhost/s3/loose/a"),
      });
      expect(await url({ via: "store" })).toMatchObject({ code: "forbidden" });
    }
  });

  test("is nothing that who may not write is told", async () => {
    const request = { operation: "PutObject", bucket: "loose", key: "a" };
    const forbidden = await ask("reader", "/v1/presign", request);
    const unknown = await ask("reader", "/v1/presign", { ...request, bucket: "nowhere" });
    const wordsOf = ({ answer }: { answer: never }) => (answer as Refusal).detail;
    expect(wordsOf(forbidden)).toBe(wordsOf(unknown));
  });
});

test("what goes together only in some ways is held so in the server's own uploads as well", async () => {
  for (const [fields, path] of [
    [{ objectLockMode: "GOVERNANCE" }, "objectLockRetainUntilDate"],
    [{ checksumType: "FULL_OBJECT", checksumAlgorithm: "SHA1" }, "checksumType"],
  ] as const) {
    const object = { bucket: "media", key: "a", ...fields };
    for (const [address, more] of [
      ["/v1/multipart", {}],
      ["/v1/presign", { operation: "CreateMultipartUpload" }],
    ] as const)
      expect(await ask("owner", address, { ...object, ...more })).toMatchObject({
        status: 400,
        answer: { errors: [{ path }] },
      });
  }
});

describe("a URL lives, when nobody says how long,", () => {
  const lifeOf = async (operation: (typeof OPERATION_NAMES)[number], more = {}) => {
    const request = { operation, bucket: "media", key: "a", ...leastOf(operation), ...more };
    const { answer } = await ask("owner", "/v1/presign", request);
    const { url, fields, expiresAt } = answer as { url: string; fields?: object; expiresAt: string };
    const signed = new URL(url).searchParams.get("X-Amz-Expires");
    return signed === null && fields !== undefined
      ? Math.round((Date.parse(expiresAt) - Date.now()) / 1000 / 10) * 10
      : Number(signed);
  };
  const isBare = (operation: (typeof OPERATION_NAMES)[number]) =>
    OPERATIONS[operation].customerKey === "none";

  test.for(OPERATION_NAMES)("%s: a minute where it needs no header to be used", async (operation) => {
    expect(await lifeOf(operation)).toBe(isBare(operation) ? 60 : 900);
    expect(await lifeOf(operation, { expiresIn: 600 })).toBe(600);
  });

  test("and those that do are few", () => {
    expect(OPERATION_NAMES.filter(isBare)).toEqual([
      "DeleteObject",
      "AbortMultipartUpload",
      "GetObjectTagging",
      "PutObjectTagging",
      "DeleteObjectTagging",
    ]);
  });
});

/** Bytes that have fooled prefix checks before, among ordinary ones. */
const odd = fc.oneof(
  fc.constantFrom(
    "in",
    "in/",
    "in//",
    "/",
    "..",
    "../",
    "./",
    "%2f",
    "%2e%2e",
    "\\",
    "\0",
    "IN/",
    "ın/",
    "in／",
    "\u202e",
  ),
  fc.string({ unit: character }),
  fc.string(),
);
const oddKey = fc.array(odd, { maxLength: 6 }).map((parts) => parts.join(""));
const oddBucket = fc.oneof(
  fc.constantFrom("media", "other", "Media", "media/", "media/in", "", "constructor"),
  fc.string(),
);

describe("no key outside the prefix is ever signed, whatever the bytes and the operation", () => {
  const neverSigned = async (numRuns: number) => {
    const everything = { uploadId: "u", partNumber: 1, contentLength: 1 };
    await fc.assert(
      fc.asyncProperty(
        oddBucket,
        oddKey,
        fc.constantFrom(...OPERATION_NAMES),
        async (bucket, key, operation) => {
          const { fields, required = [] } = OPERATIONS[operation];
          const known = Object.entries(everything).filter(([name]) =>
            [...fields, ...required].includes(name as never),
          );
          const request = {
            operation,
            bucket,
            key,
            ...Object.fromEntries(known),
            ...(required.includes("source") && { source: { bucket: "media", key: "in/x" } }),
          };
          const { status, answer } = await ask("writer", "/v1/presign", request);
          if (status !== 200) return;
          expect(bucket).toBe("media");
          expect(key.startsWith("in/")).toBe(true);
          expect(OPERATIONS[operation].permission).toBe("write");
          const { url, fields: form } = answer as { url: string; fields?: { key: string } };
          // What a client makes of the URL is still below the prefix.
          expect(form?.key ?? new URL(url).pathname).toMatch(form ? /^in\// : /^\/media\/in\//);
        },
      ),
      { numRuns },
    );
  };
  test("200 times", () => neverSigned(200));
  test("2,000 times", { tags: ["thorough"], timeout: 60_000 }, () => neverSigned(2000));
});

test("a form for a prefix never reaches above it", async () => {
  await fc.assert(
    fc.asyncProperty(oddKey, async (keyPrefix) => {
      const { status, answer } = await ask("writer", "/v1/presign", {
        operation: "PostObject",
        bucket: "media",
        keyPrefix,
      });
      if (status === 200)
        expect((answer as { fields: { key: string } }).fields.key.startsWith("in/")).toBe(true);
    }),
    { numRuns: 300 },
  );
});
