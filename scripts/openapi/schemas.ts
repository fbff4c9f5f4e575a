/** What has a name in the document: requests by the schemas that check them, answers by what the code answers. */
import * as v from "valibot";
import type { AuditEvent } from "../../src/audit/event.ts";
import type { UsedObject } from "../../src/audit/queries.ts";
import type { Grant } from "../../src/config/load.ts";
import type { Answer } from "../../src/http/presigned.ts";
import { eventsSchema } from "../../src/http/routes/audit.ts";
import { batchSchema, fileSchema } from "../../src/http/routes/lfs.ts";
import {
  abortSchema,
  completeSchema,
  createSchema,
  partsSchema,
  signSchema,
} from "../../src/http/routes/multipart.ts";
import { reportSchema } from "../../src/http/routes/reports.ts";
import { startSchema } from "../../src/http/routes/rotations.ts";
import { bodySchema } from "../../src/http/routes/s3-credentials.ts";
import { uppySchema } from "../../src/http/routes/uppy.ts";
import { verifySchema } from "../../src/http/routes/verify.ts";
import type { ReportedKey } from "../../src/rotation/needed.ts";
import type { Failure, RotationReport } from "../../src/rotation/state.ts";
import { OPERATION_NAMES, OPERATIONS, requestSchemaOf } from "../../src/s3/api/operations.ts";
import type { ListedObject } from "../../src/s3/store/list.ts";
import { type AnySchema, type JsonSchema, refTo } from "./json-schema.ts";

/** A schema whose values the code's own type allows; that nothing else is answered, the tests look at. */
type Of<T> = v.GenericSchema<unknown, T>;

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp());
const counts = v.record(v.string(), count);
const maybe = v.exactOptional;

const presigned = v.object({
  operation: v.picklist(OPERATION_NAMES),
  bucket: text,
  key: maybe(text),
  keyPrefix: maybe(text),
  keyId: maybe(v.pipe(text, v.description("Of the customer key, where one goes with the request"))),
  method: v.picklist(["GET", "HEAD", "PUT", "POST", "DELETE"]),
  url: v.pipe(text, v.metadata({ format: "uri" })),
  headers: maybe(
    v.pipe(
      v.record(v.string(), text),
      v.description("Exactly what to send, beside what HTTP clients set themselves"),
    ),
  ),
  fields: maybe(
    v.pipe(v.record(v.string(), text), v.description("Of a form; the file goes last, as `file`")),
  ),
  body: maybe(v.pipe(text, v.description("To be sent as it stands"))),
  expiresAt: time,
  snippet: maybe(text),
});
presigned satisfies Of<Partial<Answer>>;

const part = v.object({
  partNumber: count,
  method: v.picklist(["PUT"]),
  url: v.pipe(text, v.metadata({ format: "uri" })),
  contentLength: maybe(count),
});

const listed = v.object({
  key: text,
  size: count,
  etag: text,
  lastModified: text,
}) satisfies Of<ListedObject>;

const grant = v.object({
  bucket: text,
  prefix: text,
  allow: v.array(v.picklist(["read", "write", "delete", "admin"])),
  maxExpiresIn: count,
  maxBytes: maybe(count),
  contentTypes: maybe(v.array(text)),
}) satisfies Of<Grant>;

const needed = v.object({
  objects: count,
  olderVersions: count,
  scannedAt: time,
  complete: v.boolean(),
  removable: v.boolean(),
  buckets: v.array(
    v.object({
      bucket: text,
      objects: count,
      olderVersions: count,
      scannedAt: maybe(time),
      doubt: maybe(v.picklist(["not-scanned", "not-tried", "unclear", "writes", "written-later"])),
      writtenUntil: maybe(time),
    }),
  ),
});

const key = v.object({
  id: text,
  buckets: v.array(text),
  writes: v.pipe(v.array(text), v.description("Of `buckets`, where new objects are under it now")),
  mode: v.picklist(["shared", "derived"]),
  state: v.picklist(["active", "readable", "pending", "invalid"]),
  reason: maybe(text),
  md5: maybe(text),
  notBefore: maybe(time),
  writeUntil: maybe(time),
  neededBy: maybe(needed),
}) satisfies Of<ReportedKey>;

const { outcome } = eventsSchema.entries;
const event = v.object({
  id: v.pipe(text, v.uuid()),
  time,
  requestId: text,
  clientRequestId: maybe(text),
  caller: maybe(text),
  subject: maybe(text),
  operation: maybe(text),
  via: maybe(v.picklist(["s3", "edge"])),
  bucket: maybe(text),
  key: maybe(text),
  versionId: maybe(text),
  source: maybe(v.object({ bucket: text, key: text, versionId: maybe(text), keyId: maybe(text) })),
  keyId: maybe(text),
  keyMD5: maybe(text),
  outcome: outcome.wrapped,
  code: maybe(text),
  expiresAt: maybe(time),
  bytes: maybe(count),
  count: maybe(count),
  ip: maybe(text),
  country: maybe(text),
  userAgent: maybe(text),
}) satisfies Of<AuditEvent>;

const used = v.object({
  bucket: text,
  key: text,
  firstUsed: time,
  lastUsed: time,
  operations: v.array(text),
  confirmed: v.boolean(),
}) satisfies Of<UsedObject>;

const failure = v.object({ key: text, code: text, detail: text }) satisfies Of<Failure>;

const rotation = v.object({
  id: v.pipe(text, v.uuid()),
  bucket: text,
  prefix: text,
  from: maybe(text),
  to: text,
  dryRun: v.boolean(),
  encryptPlain: maybe(v.literal(true)),
  versions: maybe(v.object({ copied: count, removed: count, failed: count })),
  removeVersions: maybe(v.literal(true)),
  state: v.picklist(["running", "done", "failed", "cancelled"]),
  reason: maybe(text),
  pausedUntil: maybe(time),
  startedAt: time,
  endedAt: maybe(time),
  listed: count,
  listedBytes: count,
  isListed: v.boolean(),
  rotated: count,
  skipped: count,
  failed: count,
  bytes: count,
  found: v.pipe(counts, v.description("Objects under each key, `plain` or `unknown`")),
  olderVersions: count,
  errors: maybe(v.array(failure)),
}) satisfies Of<RotationReport>;

const action = v.object({
  href: text,
  header: maybe(v.record(v.string(), text)),
  expires_at: maybe(time),
});

const lfsObject = v.object({
  oid: text,
  size: count,
  actions: maybe(v.object({ download: maybe(action), upload: maybe(action), verify: maybe(action) })),
  error: maybe(v.object({ code: count, message: text })),
});

/** A request of an operation, as `PresignGetObject`. */
export const presignName = (operation: string) => `Presign${operation}`;

/** Requests and answers. */
export const NAMED = {
  ...(Object.fromEntries(OPERATION_NAMES.map((name) => [presignName(name), requestSchemaOf(name)])) as Record<
    string,
    AnySchema
  >),
  Presigned: presigned,
  MultipartCreate: createSchema,
  MultipartCreated: v.object({
    bucket: text,
    key: text,
    keyId: text,
    uploadId: text,
    partSize: count,
    partCount: maybe(count),
  }),
  MultipartSign: signSchema,
  MultipartSigned: v.object({ parts: v.array(part), headers: v.record(v.string(), text), expiresAt: time }),
  MultipartParts: partsSchema,
  MultipartListed: v.object({
    parts: v.array(v.object({ partNumber: count, size: count, etag: text })),
  }),
  MultipartComplete: completeSchema,
  MultipartCompleted: v.object({ etag: text, size: count, keyId: text }),
  MultipartAbort: abortSchema,
  ListedObject: listed,
  Listing: v.object({ objects: v.array(listed), prefixes: maybe(v.array(text)), cursor: maybe(text) }),
  StoredObject: v.object({
    bucket: text,
    key: text,
    keyId: text,
    size: count,
    etag: text,
    versionId: maybe(text),
  }),
  Verify: verifySchema,
  Verified: v.object({
    encrypted: v.boolean(),
    keyId: maybe(text),
    size: count,
    etag: text,
    lastModified: maybe(text),
  }),
  Grant: grant,
  Me: v.object({ caller: text, subject: maybe(text), grants: v.array(grant) }),
  Key: key,
  Keys: v.object({ keys: v.array(key) }),
  AuditEvent: event,
  AuditEvents: v.object({ events: v.array(event), cursor: maybe(text) }),
  UsedObject: used,
  UsedObjects: v.object({ objects: v.array(used), cursor: maybe(text) }),
  AuditSummary: v.object({
    since: time,
    total: count,
    outcome: counts,
    code: counts,
    caller: counts,
    operation: counts,
  }),
  Report: reportSchema,
  RotationStart: startSchema,
  Rotation: rotation,
  Rotations: v.object({ rotations: v.array(rotation), cursor: maybe(text) }),
  RotationError: failure,
  RotationErrors: v.object({ errors: v.array(failure), cursor: maybe(text) }),
  S3CredentialsRequest: bodySchema,
  S3Credentials: v.object({
    accessKeyId: text,
    secretAccessKey: text,
    sessionToken: text,
    expiration: time,
  }),
  CredentialProcess: v.object({
    Version: v.literal(1),
    AccessKeyId: text,
    SecretAccessKey: text,
    SessionToken: text,
    Expiration: time,
  }),
  LfsFile: fileSchema,
  LfsBatch: batchSchema,
  LfsAnswer: v.object({
    transfer: v.literal("basic"),
    objects: v.array(lfsObject),
    hash_algo: v.literal("sha256"),
  }),
  LfsError: v.object({ message: text, request_id: text }),
  UppyRequest: uppySchema,
  UppyAnswer: v.object({ url: presigned.entries.url, headers: v.record(v.string(), text) }),
  Health: v.object({ status: v.literal("ok") }),
} as const satisfies Record<string, AnySchema>;

/** What S3 says of an error, in XML. */
export const S3_ERROR: JsonSchema = {
  type: "object",
  xml: { name: "Error" },
  properties: {
    Code: { type: "string", description: "S3's own: AccessDenied, NoSuchKey, …" },
    Message: { type: "string" },
    Resource: { type: "string" },
    RequestId: { type: "string", description: "Of the log and the trail" },
  },
  required: ["Code", "Message", "RequestId"],
};

/** A presign request is one of its operations'. */
export const PRESIGN: JsonSchema = {
  type: "object",
  description: "What each operation takes: which fields there are, `operation` decides.",
  oneOf: OPERATION_NAMES.map((name) => ({ $ref: refTo(presignName(name)) })),
  discriminator: {
    propertyName: "operation",
    mapping: Object.fromEntries(OPERATION_NAMES.map((name) => [name, refTo(presignName(name))])),
  },
  required: ["operation"],
};

/** What is said of an operation's request. */
export function presignDescription(name: (typeof OPERATION_NAMES)[number]): string {
  const { method, permission } = OPERATIONS[name];
  return `${method}, for callers with a grant to ${permission}`;
}
