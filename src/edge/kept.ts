/**
 * What a store was asked to keep beside the bytes, and whether it has. Some take such a header, answer 200, and forget it;
 * what they have kept shows in a HEAD.
 */
import { type FieldError, Refused } from "../refused.ts";
import type { FieldName, FieldValues } from "../s3/api/fields.ts";
import { tagsXml } from "../s3/api/tags.ts";
import { refusalOf, sendToStore } from "../s3/store/fetch.ts";
import { headObject } from "../s3/store/stored.ts";
import { timeLimitsOf } from "../s3/store/time-limits.ts";
import type { Upload, Uploaded } from "./upload.ts";

const { createHash } = process.getBuiltinModule("node:crypto");

const TAGGING_COUNT = "x-amz-tagging-count";

/** By field: the header that it came in and is echoed by, and how both are compared. */
const ECHOES = {
  storageClass: { header: "x-amz-storage-class", isSame: isSameClass },
  websiteRedirectLocation: { header: "x-amz-website-redirect-location", isSame: isEqual },
  objectLockMode: { header: "x-amz-object-lock-mode", isSame: isEqual },
  objectLockRetainUntilDate: { header: "x-amz-object-lock-retain-until-date", isSame: isSameTime },
  objectLockLegalHoldStatus: { header: "x-amz-object-lock-legal-hold", isSame: isSameHold },
  expires: { header: "expires", isSame: isSameTime },
} as const satisfies Partial<
  Record<FieldName, { header: string; isSame: (asked: string, kept: string | null) => boolean }>
>;

/**
 * Confirms that the store has kept what came with an upload. Tags that it has not, as of an upload in parts on Ceph, are
 * put on the object.
 *
 * @throws {Refused} conflict with every header that it has not kept: the object is there, without them
 */
export async function confirmKept(
  { bucket, key, fields, customerKey, credentials }: Upload,
  { etag, versionId }: Uploaded,
): Promise<void> {
  if (fields.tagging === undefined && asked(fields).length === 0) return;
  const object = { bucket, key, versionId };
  const found = await headObject(object, customerKey, credentials);
  // Somebody has replaced it meanwhile: of ours there is nothing to be seen any more.
  if (found === undefined || found.stored.etag !== etag) return;
  const forgotten: FieldError[] = asked(fields)
    .filter(({ header, value, isSame }) => !isSame(value, found.headers.get(header)))
    .map(({ header }) => ({ path: header, message: "was not kept by the store" }));
  const { tagging } = fields;
  if (tagging !== undefined && !hasTags(tagging, found.headers)) {
    await putTags(tagging, { bucket, key, versionId, credentials });
    const again = await headObject(object, customerKey, credentials);
    // A store that does not count them, or that may not tell us, has said that it has put them.
    const counts = again?.headers.has(TAGGING_COUNT) === true && again.stored.etag === etag;
    if (counts && !hasTags(tagging, again.headers)) {
      forgotten.push({ path: "x-amz-tagging", message: "was not kept by the store" });
    }
  }
  if (forgotten.length === 0) return;
  throw new Refused(
    "conflict",
    `The object is stored, but the store has not kept ${forgotten.map(({ path }) => path).join(", ")}: it takes no such thing.`,
    { errors: forgotten },
  );
}

function asked(fields: FieldValues) {
  return Object.entries(ECHOES).flatMap(([name, echo]) => {
    const value = fields[name as keyof typeof ECHOES];
    return value === undefined ? [] : [{ ...echo, value }];
  });
}

function hasTags(tagging: string, headers: Headers): boolean {
  return Number(headers.get(TAGGING_COUNT)) === tagging.split("&").length;
}

async function putTags(
  tagging: string,
  {
    bucket,
    key,
    versionId,
    credentials,
  }: Pick<Upload, "bucket" | "key" | "credentials"> & {
    versionId: string | undefined;
  },
): Promise<void> {
  const body = Buffer.from(tagsXml(tagging));
  const request = {
    method: "PUT",
    bucket,
    key,
    query: { tagging: "", ...(versionId !== undefined && { versionId }) },
    headers: {
      "content-type": "application/xml",
      "content-md5": createHash("md5").update(body).digest("base64"),
    },
  };
  const response = await sendToStore(request, {
    credentials,
    body,
    timeLimit: timeLimitsOf(bucket.store).write,
  });
  if (response.status !== 200 && response.status !== 204) throw await refusalOf(response, request);
  await response.body?.cancel();
}

function isEqual(asked: string, kept: string | null): boolean {
  return asked === kept;
}

/** S3 names every class but the standard one. */
function isSameClass(asked: string, kept: string | null): boolean {
  return asked === (kept ?? "STANDARD");
}

function isSameTime(asked: string, kept: string | null): boolean {
  const seconds = (text: string) => Math.floor(Date.parse(text) / 1000);
  return seconds(asked) === seconds(kept ?? "");
}

/** Of none there is nothing to tell. */
function isSameHold(asked: string, kept: string | null): boolean {
  return asked === (kept ?? "OFF");
}
