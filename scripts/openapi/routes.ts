/** Every address of the API, as `METHOD /path`. That it is every one, and nothing else, the tests look at. */
import { UPLOADED } from "../../src/edge/headers.ts";
import { type Forms, formsAt } from "../../src/gateway/operations.ts";
import { eventsSchema, objectsSchema, summarySchema } from "../../src/http/routes/audit.ts";
import { namedSchema } from "../../src/http/routes/named-object.ts";
import { deleteSchema, listSchema, readSchema } from "../../src/http/routes/objects.ts";
import { errorsSchema, listSchema as rotationsSchema } from "../../src/http/routes/rotations.ts";
import { querySchema } from "../../src/http/routes/s3-credentials.ts";
import { FIELDS } from "../../src/s3/api/fields.ts";
import { type JsonSchema, queryOf, refTo, schemaOf } from "./json-schema.ts";
import type { Body, Route } from "./route.ts";
import { NAMED } from "./schemas.ts";

/** What may come of every request below /v1. */
const ANY = [400, 401, 429, 500, 503] as const;
/** Of one for which a grant is needed. */
const GRANTED = [...ANY, 403] as const;
/** Of one with a JSON body. */
const SENT = [...GRANTED, 413] as const;
/** Of one that asks the store. */
const STORED = [404, 409, 502, 504] as const;
/** Of one that makes an object. */
const WRITING = [411, 412, 413, 415] as const;

const OBJECT = { bucket: "media", key: "users/42/cat.jpg" };
const KEY_HEADERS = {
  "x-amz-server-side-encryption-customer-algorithm": "AES256",
  "x-amz-server-side-encryption-customer-key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
  "x-amz-server-side-encryption-customer-key-MD5": "tP+cIWIpKkdmMKxBaVWKIA==",
};
const URL_OF = "https://acme-media.cwobject.com/users/42/cat.jpg";
const signed = (more = "") =>
  `${URL_OF}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900${more}&X-Amz-Signature=…`.replace(
    "…",
    "0a1b2c",
  );
const AT = "2026-11-23T15:15:00Z";
const ETAG = '"9b2cf535f27731c974343645a3985328"';
const UPLOAD = { ...OBJECT, keyId: "k1", uploadId: "2~wq9QeXyZ0a1b2c3d4e5f" };

const PUT_REQUEST = { operation: "PutObject", ...OBJECT, contentType: "image/jpeg", contentLength: 48_213 };
const GET_REQUEST = { operation: "GetObject", ...OBJECT, via: "edge", expiresIn: 600 };
const PUT_ANSWER = {
  operation: "PutObject",
  ...OBJECT,
  keyId: "k1",
  method: "PUT",
  url: signed("&x-id=PutObject"),
  headers: { "content-type": "image/jpeg", ...KEY_HEADERS },
  expiresAt: AT,
};

const json = (schema: Body["schema"], examples: Body["examples"], more: Body = {}): Body => ({
  ...(schema && { schema }),
  ...(examples && { examples }),
  ...more,
});
const NOTHING: Body = { description: "Done" };

const header = (name: string, description: string, schema: object = { type: "string" }) => ({
  name,
  in: "header",
  description,
  schema,
});
const CONDITIONS = [
  header("if-match", "An ETag, several, or `*`"),
  header("if-none-match", "An ETag, several, or `*`"),
  header("if-unmodified-since", "A date, as HTTP has it"),
];

type Properties = Readonly<Record<string, JsonSchema>>;
const { response, ...readParameters } = schemaOf(readSchema, NAMED).properties as Properties;
const OVERRIDES = Object.entries(response?.properties as Properties).map(([name, schema]) => ({
  name: `response-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`,
  in: "query",
  description: "Answered instead of what is stored",
  schema,
}));
const READ = [
  ...Object.entries(readParameters).map(([name, schema]) => ({ name, in: "query", schema })),
  ...OVERRIDES,
  header("range", "One range of bytes, as `bytes=0-1023`"),
  header("if-range", "An ETag, or a date: the range counts only where it holds"),
  header("if-modified-since", "A date, as HTTP has it"),
  header("x-amz-checksum-mode", "`ENABLED`: answers the checksum that the store keeps"),
  ...CONDITIONS,
];
const UPLOADED_HEADERS = Object.entries(UPLOADED).map(([name, field]) =>
  header(
    name,
    `\`${field}\` of PutObject`,
    field === "tagging" ? { type: "string" } : schemaOf(FIELDS[field].schema, NAMED),
  ),
);

const OBJECT_HEADERS = ["x-ssec-key-id", "etag", "last-modified", "content-length", "content-range"];
const bytes = { type: "string", contentMediaType: "application/octet-stream" };
const READ_PROBLEMS = [...GRANTED, ...STORED, 412, 416] as const;

const ROTATION_ID = "0199d2c4-6a0e-7d5f-9a57-0f6c1a3b7e21";
const ROTATION = {
  id: ROTATION_ID,
  bucket: "media",
  prefix: "users/",
  to: "k1",
  dryRun: true,
  state: "running",
  startedAt: "2026-11-23T15:00:00.000Z",
  listed: 0,
  listedBytes: 0,
  isListed: false,
  rotated: 0,
  skipped: 0,
  failed: 0,
  bytes: 0,
  found: { plain: 0, unknown: 0 },
  olderVersions: 0,
};
const FILE = { oid: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9", size: 11 };

const LFS = {
  tag: "Git LFS",
  security: [{ token: [] }, { password: [] }],
  problemsAs: { description: "Refused", type: "application/vnd.git-lfs+json", schema: "LfsError" },
} as const;
const lfsBatch = (operationId: string): Route => ({
  ...LFS,
  operationId,
  summary: "Files to be fetched or sent, straight from and to the store",
  // Whatever is wrong with a file is told beside it.
  problems: [...ANY, 413],
  request: json("LfsBatch", { upload: { operation: "upload", transfers: ["basic"], objects: [FILE] } }),
  answers: {
    200: json(
      "LfsAnswer",
      {
        upload: {
          transfer: "basic",
          objects: [
            { ...FILE, actions: { upload: { href: signed(), header: KEY_HEADERS, expires_at: AT } } },
          ],
          hash_algo: "sha256",
        },
      },
      { type: "application/vnd.git-lfs+json" },
    ),
  },
});
const lfsVerify = (operationId: string): Route => ({
  ...LFS,
  operationId,
  summary: "Whether a file is there, encrypted and whole",
  problems: [...SENT, ...STORED],
  request: json("LfsFile", { file: FILE }),
  answers: { 200: json("LfsFile", { file: FILE }, { type: "application/vnd.git-lfs+json" }) },
});

/** S3's own API: its documentation is S3's, and docs/gateway.md. */
function s3Routes(): Record<string, Route> {
  const places = { service: "/s3", bucket: "/s3/{bucket}", object: "/s3/{bucket}/{key}" };
  const routes: Record<string, Route> = {};
  for (const [of, path] of Object.entries(places)) {
    for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"]) {
      const forms = formsAt(of, method);
      if (forms.length > 0) routes[`${method} ${path}`] = s3Route(method, of, forms);
    }
  }
  return routes;
}

function s3Route(method: string, of: string, forms: Forms): Route {
  const xml = { type: "application/xml", schema: { type: "string" } };
  const fault = { description: "An error of S3's", ...(method !== "HEAD" && S3_ERROR) };
  const isObject = of === "object";
  return {
    operationId: `s3_${method.toLowerCase()}_${of}`,
    tag: "S3",
    summary: forms.map(([name]) => name).join(", "),
    description: `S3's own API, for S3's clients. Which operation it is, the query and headers say: ${forms
      .map(
        ([name, { markers, header }]) =>
          `${name} by ${[...markers, header ?? []].flat().join(", ") || "neither"}`,
      )
      .join("; ")}.`,
    parameters: s3Parameters(forms),
    answers: {
      ...(method === "DELETE"
        ? { 204: { description: "As S3 answers" } }
        : {
            "2XX": {
              description: "As S3 answers",
              ...(method !== "HEAD" && (isObject && method === "GET" ? { type: "*/*", schema: bytes } : xml)),
            },
          }),
      ...(isObject && (method === "GET" || method === "HEAD") && { 304: { description: "As it was" } }),
      "4XX": fault,
      "5XX": fault,
    },
    problems: [],
    security: [{ s3: [] }],
  };
}

const S3_ERROR = { type: "application/xml", schema: "S3Error" };

/** Each with the operations that it is of: with those of several, or with one that is no operation's, S3 says NotImplemented. */
function s3Parameters(forms: Forms): object[] {
  const of = new Map<string, { in: string; names: string[] }>();
  const add = (parameter: string, place: string, name: string) => {
    const known = of.get(parameter) ?? { in: place, names: [] };
    of.set(parameter, known);
    if (!known.names.includes(name)) known.names.push(name);
  };
  for (const [name, { markers, header, parameters }] of forms) {
    for (const each of [...markers, ...parameters]) add(each, "query", name);
    if (header !== undefined) add(header, "header", name);
  }
  return Array.from(of, ([parameter, { in: place, names }]) => ({
    name: parameter,
    in: place,
    description: `Of ${names.join(", ")}`,
    schema: { type: "string" },
  }));
}

const UNCHANGED = { 304: { description: "As it was", headers: ["etag"] } };

/** What people look at, where the Worker has its static assets. */
function page(operationId: string) {
  return {
    operationId,
    tag: "Service",
    answers: { 200: { type: "text/html", schema: { type: "string" }, headers: ["etag"] }, ...UNCHANGED },
    parameters: [header("if-none-match", "An ETag, several, or `*`")],
    problems: [404],
    security: [],
  } as const;
}

export const ROUTES: Readonly<Record<string, Route>> = {
  "POST /v1/presign": {
    operationId: "presign",
    tag: "Presigned requests",
    summary: "A presigned URL, and exactly what to send with it",
    request: json({ $ref: refTo("PresignRequest") }, { upload: PUT_REQUEST, link: GET_REQUEST }),
    answers: {
      200: json(
        "Presigned",
        {
          upload: PUT_ANSWER,
          link: {
            operation: "GetObject",
            ...OBJECT,
            method: "GET",
            url: "https://edge.example.com/s3/media/users/42/cat.jpg?X-Amz-Signature=0a1b2c",
            headers: {},
            expiresAt: AT,
          },
        },
        // With `accept: text/plain` the snippet alone.
        { others: { "text/plain": { type: "string" } } },
      ),
    },
    problems: [...SENT, ...STORED, 411, 415],
  },
  "POST /v1/presign/batch": {
    operationId: "presignBatch",
    tag: "Presigned requests",
    summary: "Up to a thousand at once: one bad request spoils no other",
    request: json(
      {
        type: "object",
        properties: {
          requests: { type: "array", items: { $ref: refTo("PresignRequest") }, maxItems: 1000 },
        },
        required: ["requests"],
        additionalProperties: false,
      },
      { two: { requests: [PUT_REQUEST, { ...PUT_REQUEST, bucket: "other" }] } },
    ),
    answers: {
      200: json(
        {
          type: "object",
          properties: {
            results: {
              type: "array",
              items: {
                anyOf: [
                  { $ref: refTo("Presigned") },
                  {
                    type: "object",
                    properties: { problem: { $ref: refTo("Problem") } },
                    required: ["problem"],
                  },
                ],
              },
            },
          },
          required: ["results"],
        },
        {
          two: {
            results: [
              PUT_ANSWER,
              {
                problem: {
                  type: "urn:ssec-edge:problem:forbidden",
                  title: "The caller may not do this",
                  status: 403,
                  detail: "The caller may not do this, or there is no such bucket.",
                  code: "forbidden",
                  requestId: "0199d2c4-6a0e-4d5f-9a57-0f6c1a3b7e21",
                },
              },
            ],
          },
        },
      ),
    },
    problems: [...ANY, 413],
  },
  "POST /v1/multipart": {
    operationId: "multipartCreate",
    tag: "Uploads in parts",
    summary: "Begins an upload in parts",
    parameters: CONDITIONS,
    request: json("MultipartCreate", { upload: { ...OBJECT, size: 12_000_000, contentType: "image/jpeg" } }),
    answers: { 200: json("MultipartCreated", { upload: { ...UPLOAD, partSize: 5_242_880, partCount: 3 } }) },
    problems: [...SENT, ...STORED, ...WRITING],
  },
  "POST /v1/multipart/sign": {
    operationId: "multipartSign",
    tag: "Uploads in parts",
    summary: "Presigns parts",
    request: json("MultipartSign", {
      first: { ...UPLOAD, partNumbers: [1], size: 12_000_000, partSize: 5_242_880 },
    }),
    answers: {
      200: json("MultipartSigned", {
        first: {
          parts: [{ partNumber: 1, method: "PUT", url: signed("&partNumber=1"), contentLength: 5_242_880 }],
          headers: KEY_HEADERS,
          expiresAt: AT,
        },
      }),
    },
    problems: [...SENT, ...STORED, 411, 415],
  },
  "POST /v1/multipart/parts": {
    operationId: "multipartParts",
    tag: "Uploads in parts",
    summary: "Which parts the store has: what an upload that broke off goes on from",
    request: json("MultipartParts", { upload: UPLOAD }),
    answers: {
      200: json("MultipartListed", { one: { parts: [{ partNumber: 1, size: 5_242_880, etag: ETAG }] } }),
    },
    problems: [...SENT, ...STORED],
  },
  "POST /v1/multipart/complete": {
    operationId: "multipartComplete",
    tag: "Uploads in parts",
    summary: "Makes the object of its parts, and looks whether it is there under the key",
    parameters: CONDITIONS,
    request: json("MultipartComplete", { upload: { ...UPLOAD, parts: [{ partNumber: 1, etag: ETAG }] } }),
    answers: { 200: json("MultipartCompleted", { upload: { etag: ETAG, size: 5_242_880, keyId: "k1" } }) },
    problems: [...SENT, ...STORED, ...WRITING],
  },
  "POST /v1/multipart/abort": {
    operationId: "multipartAbort",
    tag: "Uploads in parts",
    summary: "Ends an upload, and removes its parts",
    request: json("MultipartAbort", { upload: { ...OBJECT, uploadId: UPLOAD.uploadId } }),
    answers: { 204: NOTHING },
    problems: [...SENT, ...STORED],
  },
  "GET /v1/objects/{bucket}": {
    operationId: "listObjects",
    tag: "Objects through the edge",
    summary: "Lists objects",
    query: listSchema,
    answers: {
      200: json("Listing", {
        one: {
          objects: [{ key: OBJECT.key, size: 48_213, etag: ETAG, lastModified: "2026-11-23T15:00:00.000Z" }],
        },
      }),
    },
    problems: [...GRANTED, ...STORED],
  },
  "DELETE /v1/objects/{bucket}": {
    operationId: "removeNamed",
    tag: "Objects through the edge",
    summary: "Removes an object whose name no path can hold",
    query: namedSchema,
    answers: { 204: NOTHING },
    problems: [...GRANTED, ...STORED],
  },
  "GET /v1/objects/{bucket}/{key}": {
    operationId: "getObject",
    tag: "Objects through the edge",
    summary: "The object",
    parameters: READ,
    answers: {
      200: { type: "*/*", schema: bytes, headers: OBJECT_HEADERS },
      206: { description: "The range", type: "*/*", schema: bytes, headers: OBJECT_HEADERS },
      304: { description: "As it was", headers: ["etag"] },
    },
    problems: READ_PROBLEMS,
  },
  "HEAD /v1/objects/{bucket}/{key}": {
    operationId: "headObject",
    tag: "Objects through the edge",
    summary: "What is known of the object",
    parameters: READ,
    answers: {
      200: { headers: OBJECT_HEADERS },
      206: { description: "Of the range", headers: OBJECT_HEADERS },
      304: { description: "As it was", headers: ["etag"] },
    },
    problems: READ_PROBLEMS,
  },
  "PUT /v1/objects/{bucket}/{key}": {
    operationId: "putObject",
    tag: "Objects through the edge",
    summary: "Uploads the object",
    description: "`x-amz-meta-*` becomes its metadata.",
    parameters: [...CONDITIONS, ...UPLOADED_HEADERS],
    request: { type: "*/*", schema: bytes },
    answers: {
      200: json(
        "StoredObject",
        { object: { ...OBJECT, keyId: "k1", size: 48_213, etag: ETAG } },
        { headers: ["etag", "x-ssec-key-id"] },
      ),
    },
    problems: [...GRANTED, ...STORED, ...WRITING],
  },
  "DELETE /v1/objects/{bucket}/{key}": {
    operationId: "removeObject",
    tag: "Objects through the edge",
    summary: "Removes the object",
    query: deleteSchema,
    parameters: CONDITIONS,
    answers: { 204: NOTHING },
    problems: [...GRANTED, ...STORED, 412],
  },
  "POST /v1/verify": {
    operationId: "verify",
    tag: "Objects through the edge",
    summary: "Whether the store opens the object with the key alone",
    request: json("Verify", { object: OBJECT }),
    answers: {
      200: json("Verified", {
        object: {
          encrypted: true,
          keyId: "k1",
          size: 48_213,
          etag: ETAG,
          lastModified: "2026-11-23T15:00:00.000Z",
        },
      }),
    },
    problems: [...SENT, ...STORED],
  },
  "GET /v1/me": {
    operationId: "me",
    tag: "Callers",
    summary: "Who the service takes the caller for, and what they may do",
    answers: {
      200: json("Me", {
        partner: {
          caller: "acme",
          grants: [{ bucket: "media", prefix: "acme/", allow: ["read", "write"], maxExpiresIn: 3600 }],
        },
      }),
    },
    problems: ANY,
  },
  "GET /v1/keys": {
    operationId: "keys",
    tag: "Keys and rotations",
    summary: "Which customer keys there are, and what still needs them; never a key",
    answers: {
      200: json("Keys", {
        one: {
          keys: [
            {
              id: "k1",
              buckets: ["media"],
              writes: ["media"],
              mode: "shared",
              state: "active",
              md5: "tP+cIWIpKkdmMKxBaVWKIA==",
            },
          ],
        },
      }),
    },
    problems: GRANTED,
  },
  "POST /v1/rotations": {
    operationId: "rotationStart",
    tag: "Keys and rotations",
    summary: "Begins to encrypt a bucket anew under another key, or counts what lies under which",
    request: json("RotationStart", { inventory: { bucket: "media", prefix: "users/", dryRun: true } }),
    answers: { 202: json("Rotation", { inventory: ROTATION }) },
    problems: [...SENT, 409],
  },
  "GET /v1/rotations": {
    operationId: "rotations",
    tag: "Keys and rotations",
    summary: "Rotations, the newest first",
    query: rotationsSchema,
    answers: { 200: json("Rotations", { one: { rotations: [ROTATION] } }) },
    problems: GRANTED,
  },
  "GET /v1/rotations/{id}": {
    operationId: "rotation",
    tag: "Keys and rotations",
    summary: "How far it is",
    answers: { 200: json("Rotation", { one: { ...ROTATION, errors: [] } }) },
    problems: [...GRANTED, 404],
  },
  "GET /v1/rotations/{id}/errors": {
    operationId: "rotationErrors",
    tag: "Keys and rotations",
    summary: "Objects that could not be rotated, and why",
    query: errorsSchema,
    answers: {
      200: json("RotationErrors", {
        one: {
          errors: [
            { key: OBJECT.key, code: "key-unknown", detail: "It is under none of the bucket's keys." },
          ],
        },
      }),
    },
    problems: [...GRANTED, 404],
  },
  "POST /v1/rotations/{id}/resume": {
    operationId: "rotationResume",
    tag: "Keys and rotations",
    summary: "Goes on with one that failed or was cancelled",
    answers: { 200: json("Rotation", { one: ROTATION }) },
    problems: [...SENT, 404, 409],
  },
  "DELETE /v1/rotations/{id}": {
    operationId: "rotationCancel",
    tag: "Keys and rotations",
    summary: "Cancels it: what is rotated stays so",
    answers: {
      200: json("Rotation", {
        one: { ...ROTATION, state: "cancelled", endedAt: "2026-11-23T15:01:00.000Z" },
      }),
    },
    problems: [...GRANTED, 404, 409],
  },
  "GET /v1/audit": {
    operationId: "audit",
    tag: "The trail",
    summary: "Events, the newest first",
    query: eventsSchema,
    answers: {
      200: json("AuditEvents", {
        one: {
          events: [
            {
              id: ROTATION_ID,
              time: "2026-11-23T15:00:00.000Z",
              requestId: "0199d2c4-6a0e-4d5f-9a57-0f6c1a3b7e21",
              caller: "acme",
              operation: "PutObject",
              ...OBJECT,
              keyId: "k1",
              keyMD5: "tP+cIWIpKkdmMKxBaVWKIA==",
              outcome: "allowed",
              expiresAt: AT,
            },
          ],
        },
      }),
    },
    problems: GRANTED,
  },
  "GET /v1/audit/keys/{keyId}/objects": {
    operationId: "auditObjects",
    tag: "The trail",
    summary: "Objects that a key was used for",
    query: objectsSchema,
    answers: {
      200: json("UsedObjects", {
        one: {
          objects: [
            {
              ...OBJECT,
              firstUsed: "2026-11-23T15:00:00.000Z",
              lastUsed: "2026-11-23T15:00:00.000Z",
              operations: ["PutObject"],
              confirmed: false,
            },
          ],
        },
      }),
    },
    problems: GRANTED,
  },
  "GET /v1/audit/summary": {
    operationId: "auditSummary",
    tag: "The trail",
    summary: "How many events there were of each kind",
    query: summarySchema,
    answers: {
      200: json("AuditSummary", {
        day: {
          since: "2026-11-22T15:00:00Z",
          total: 2,
          outcome: { allowed: 1, denied: 1 },
          code: { forbidden: 1 },
          caller: { acme: 2 },
          operation: { PutObject: 2 },
        },
      }),
    },
    problems: GRANTED,
  },
  "POST /v1/reports": {
    operationId: "report",
    tag: "The trail",
    summary: "Tells that the store refused what was presigned",
    request: json("Report", {
      refused: { operation: "PutObject", ...OBJECT, code: "SignatureDoesNotMatch" },
    }),
    answers: { 204: NOTHING },
    problems: SENT,
  },
  "POST /v1/s3/credentials": {
    operationId: "s3Credentials",
    tag: "Callers",
    summary: "S3 credentials for a while, for S3 at the edge",
    parameters: queryOf(querySchema, NAMED),
    request: json("S3CredentialsRequest", { hour: { expiresIn: 3600 } }),
    mayBeEmpty: true,
    answers: {
      200: json(
        { anyOf: [{ $ref: refTo("S3Credentials") }, { $ref: refTo("CredentialProcess") }] },
        {
          hour: {
            accessKeyId: "acme",
            secretAccessKey: "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
            sessionToken: "FwoGZXIvYXdzEXAMPLE",
            expiration: AT,
          },
        },
      ),
    },
    problems: [...ANY, 413],
  },
  "POST /v1/lfs/{bucket}/objects/batch": lfsBatch("lfsBatch"),
  "POST /v1/lfs/{bucket}/{folder}/objects/batch": lfsBatch("lfsBatchInFolder"),
  "POST /v1/lfs/{bucket}/objects/verify": lfsVerify("lfsVerify"),
  "POST /v1/lfs/{bucket}/{folder}/objects/verify": lfsVerify("lfsVerifyInFolder"),
  "POST /v1/uppy/{bucket}/sign": {
    operationId: "uppySign",
    tag: "Uploads in parts",
    summary: "What Uppy's signRequest is called with, and what it returns",
    request: json("UppyRequest", {
      file: { method: "PUT", key: OBJECT.key, contentType: "image/jpeg", size: 48_213 },
      part: { method: "PUT", key: OBJECT.key, uploadId: UPLOAD.uploadId, partNumber: 1, size: 6_000_000 },
    }),
    answers: {
      200: json("UppyAnswer", {
        file: { url: signed("&x-id=PutObject"), headers: PUT_ANSWER.headers },
        part: { url: signed("&x-id=UploadPart&partNumber=1"), headers: KEY_HEADERS },
      }),
    },
    problems: [...SENT, 404, 409, 411, 415, 502, 504],
  },
  "GET /healthz": {
    operationId: "health",
    tag: "Service",
    summary: "Whether the configuration and every secret can be used; names nothing",
    answers: { 200: json("Health", { well: { status: "ok" } }) },
    problems: [503],
    security: [],
  },
  "GET /": {
    ...page("page"),
    summary: "The page that uploads, lists, shares and downloads",
  },
  "GET /docs": { ...page("docs"), summary: "This document, to be read and tried out" },
  "GET /openapi.json": {
    ...page("openapi"),
    summary: "This document, which any page may read",
    answers: {
      200: json({ type: "object" }, { head: { openapi: "3.1.1" } }, { headers: ["etag"] }),
      ...UNCHANGED,
    },
  },
  ...s3Routes(),
};
