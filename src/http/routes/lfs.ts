/**
 * /v1/lfs/{bucket}: Git LFS. Its files go straight to the store and come from it, by presigned requests; their names are
 * their SHA-256, which is signed, so that the store takes nothing else under them.
 *
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/basic-transfers.md
 */

import { Hono, type TypedResponse } from "hono";
import * as v from "valibot";
import type { Draft } from "../../audit/event.ts";
import type { Caller } from "../../auth/callers.ts";
import type { AppContext, AppEnv, Asked } from "../../front/context.ts";
import { chargeItems } from "../../front/middleware.ts";
import { tooManyRequests } from "../../front/rate-limit.ts";
import { type Addressed, type Operating, operate } from "../../objects/operate.ts";
import { Refused } from "../../refused.ts";
import { wholeNumber } from "../../s3/api/fields.ts";
import { MAX_PUT_BYTES } from "../../s3/api/limits.ts";
import { objectKey } from "../../s3/api/object-key.ts";
import type { PresignRequest } from "../../s3/api/operations.ts";
import { confirmUnderKey, type Stored } from "../../s3/store/stored.ts";
import { BATCH_CONCURRENCY, MAX_BATCH, mapInOrder } from "../batch.ts";
import { limitBody, readJson, valid } from "../body.ts";
import { report } from "../errors.ts";
import { LFS_TYPE } from "../git-lfs.ts";
import { decoded } from "../object-path.ts";
import { askerOf, type BatchAsker, parse, permission, presignOne } from "../presigned.ts";

/** What git-lfs would find out from the first bytes: a page in a repository must not become one of the store's. */
const CONTENT_TYPE = "application/octet-stream";

export const fileSchema = v.object({
  oid: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "must be a SHA-256, hexadecimal in lower case")),
  size: wholeNumber(0, Number.MAX_SAFE_INTEGER),
});
type File = v.InferOutput<typeof fileSchema>;

/** What else a client says (`ref`) changes nothing here; a later git-lfs may say more. */
export const batchSchema = v.object({
  operation: v.picklist(["download", "upload"]),
  transfers: v.optional(v.pipe(v.array(v.string()), v.includes("basic", "must have basic among them"))),
  hash_algo: v.optional(v.literal("sha256", "must be sha256")),
  objects: v.pipe(v.array(fileSchema), v.maxLength(MAX_BATCH, `must be at most ${MAX_BATCH}`)),
});
type Batch = v.InferInput<typeof batchSchema>;
type Direction = Batch["operation"];

export const lfsRoutes = new Hono<AppEnv>()
  .use(limitBody)
  .post("/:bucket/objects/batch", (c: Asked<{ json: Batch }>) => batch(c))
  .post("/:bucket/:folder{.+}/objects/batch", (c: Asked<{ json: Batch }>) => batch(c))
  .post("/:bucket/objects/verify", (c: Asked<{ json: File }>) => verify(c))
  .post("/:bucket/:folder{.+}/objects/verify", (c: Asked<{ json: File }>) => verify(c));

/** One request of git-lfs, as its spec names it. */
export interface Action {
  readonly href: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly expires_at?: string;
}
type Actions = Partial<Record<Direction | "verify", Action>>;

async function batch(c: AppContext) {
  const { operation, objects } = valid(batchSchema, await readJson(c));
  const place = placeOf(c);
  const asker = askerOf(c);
  // The first is what the request itself was counted for.
  const allowed = objects.length === 0 ? 0 : 1 + (await chargeItems(c, objects.length - 1));
  const answers = await mapInOrder(objects, BATCH_CONCURRENCY, async ({ oid, size }, i) => {
    try {
      const actions = await actionsFor(operation, { oid, size }, place, asker, i < allowed);
      return { oid, size, ...(actions && { actions }) };
    } catch (error) {
      const { problem } = report(error, asker.requestId, asker.trail);
      return { oid, size, error: { code: problem.status, message: problem.message } };
    }
  });
  return answer(c, { transfer: "basic", objects: answers, hash_algo: "sha256" });
}

/**
 * What git-lfs is to do about a file; undefined where the store has it already.
 *
 * @param isAllowed whether the caller may ask for it now
 */
function actionsFor(
  direction: Direction,
  file: File,
  place: Place,
  asker: BatchAsker,
  isAllowed: boolean,
): Promise<Actions | undefined> {
  const operation = direction === "upload" ? "PutObject" : "GetObject";
  const read = (draft: Draft) => {
    const object = { bucket: place.bucket, key: keyOf(file, place) };
    Object.assign(draft, { ...object, bytes: file.size });
    if (!isAllowed) throw tooManyRequests();
    return parse({ operation, ...object, ...(direction === "upload" && uploaded(file)) }, operation);
  };
  return operate(asker, { operation, permission, read }, async (operating) => {
    if (direction === "upload" && (await isThere(operating, file))) {
      operating.draft.operation = "HeadObject";
      return undefined;
    }
    if (direction === "download") await confirm(operating, file);
    const { url, headers, expiresAt } = await presignOne(operating, asker);
    return {
      [direction]: { href: url, header: headers, expires_at: expiresAt },
      ...(direction === "upload" && { verify: { href: place.verifyUrl } }),
    };
  });
}

/** @throws {Refused} too-large */
function uploaded({ oid, size }: File): Partial<PresignRequest> {
  if (size > MAX_PUT_BYTES) {
    const most = `more than ${MAX_PUT_BYTES} bytes do not go up in one piece, as git-lfs sends them`;
    throw new Refused("too-large", `The file has ${size} bytes: ${most}.`);
  }
  const checksumSHA256 = Buffer.from(oid, "hex").toString("base64");
  return { contentType: CONTENT_TYPE, contentLength: size, checksumSHA256 };
}

/** What lies there otherwise (in the clear, under a lost key, cut short) is replaced by what it should be. */
async function isThere(operating: Operating<Addressed>, file: File): Promise<boolean> {
  try {
    await confirm(operating, file);
    return true;
  } catch (error) {
    const isAbsent =
      error instanceof Refused &&
      ["not-found", "key-unknown", "not-encrypted", "conflict"].includes(error.reason);
    if (!isAbsent) throw error;
    return false;
  }
}

/**
 * The file, once the store has confirmed that it lies there encrypted and whole.
 *
 * @throws {Refused} not-found, not-encrypted, key-unknown, store-error, store-timeout; conflict: it has another size
 */
async function confirm(
  { request: { key }, bucket, ...use }: Operating<Addressed>,
  { size }: File,
): Promise<Stored> {
  const credentials = await use.credentials();
  const stored = await use.underStored((found) => confirmUnderKey({ bucket, key }, found, credentials));
  if (stored.size === size) return stored;
  throw new Refused("conflict", `The object in the store has ${stored.size} bytes, and not ${size}.`);
}

/** What git-lfs asks after an upload. It must be known to who may only write. */
async function verify(c: AppContext) {
  const file = valid(fileSchema, await readJson(c));
  const place = placeOf(c);
  const read = () => ({ bucket: place.bucket, key: keyOf(file, place) });
  const plan = { operation: "VerifyObject", permission: "write", read } as const;
  return operate(c.var, plan, async (operating) => {
    const { size } = await confirm(operating, file);
    operating.draft.bytes = size;
    return answer(c, { ...file });
  });
}

/** Where the files of a repository lie. */
interface Place {
  readonly bucket: string;
  /** Their keys begin with it. */
  readonly prefix: string;
  readonly verifyUrl: string;
}

/** Everything before it is what `lfs.url` says. */
const ADDRESS = /^\/v1\/lfs\/([^/]+)(?:\/(.+))?\/objects\/(?:batch|verify)$/s;

/**
 * As the address names it: a bucket, and a folder in it, or the only folder that the caller may use.
 *
 * @throws {Refused} invalid-request
 */
function placeOf(c: AppContext): Place {
  const [, bucketPart = "", folderPart] = ADDRESS.exec(c.req.path) ?? [];
  const bucket = decoded(bucketPart, "bucket");
  const folder = folderPart === undefined ? undefined : decoded(folderPart, "folder");
  const { prefix } = valid(v.object({ prefix: objectKey }), {
    prefix: folder === undefined ? `${onlyPrefix(bucket, c.var.caller)}lfs/` : `${folder}/`,
  });
  const verifyUrl = c.req.url.replace(/\/objects\/batch(\?.*)?$/s, "/objects/verify");
  return { bucket, prefix, verifyUrl };
}

/** One for reading and writing: what is pushed is to be found again. */
function onlyPrefix(bucket: string, { grants }: Caller): string {
  const own = grants.filter((grant) => grant.bucket === bucket);
  const prefixes = new Set(own.map(({ prefix }) => prefix));
  const [only = "", ...others] = prefixes;
  if (others.length === 0) return only;
  throw Refused.field(
    "folder",
    `must be named by lfs.url, as /v1/lfs/${bucket}/FOLDER: the caller may use several`,
  );
}

/** In folders of their own, as git-lfs itself keeps them: a list of the bucket stays readable. */
function keyOf({ oid }: File, { prefix }: Place): string {
  return `${prefix}${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
}

function answer<T extends object>(c: AppContext, value: T) {
  const response: Response = c.body(JSON.stringify(value), 200, { "content-type": LFS_TYPE });
  // Its type is that of JSON, whose media type is not.
  return response as Response & TypedResponse<T, 200, "json">;
}
