/**
 * What a store was asked to keep beside the bytes, and whether it has. Some take such a header, answer 200, and forget it;
 * what they have kept shows in a HEAD.
 */
import { type FieldError, Refused } from "../refused.ts";
import { isSameSecond } from "../s3/api/dates.ts";
import type { FieldName, FieldValues } from "../s3/api/fields.ts";
import { S3Bucket } from "../s3/store/client.ts";
import { headObject } from "../s3/store/stored.ts";
import { TAG_COUNT_HEADER, writeTags } from "../s3/store/tagging.ts";
import type { Upload, Uploaded } from "./upload.ts";

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
    await writeTags(new S3Bucket(bucket, credentials), key, tagging, versionId);
    const again = await headObject(object, customerKey, credentials);
    // A store that does not count them, or that may not tell us, has said that it has put them.
    const counts = again?.headers.has(TAG_COUNT_HEADER) === true && again.stored.etag === etag;
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
  return Number(headers.get(TAG_COUNT_HEADER)) === tagging.split("&").length;
}

function isEqual(asked: string, kept: string | null): boolean {
  return asked === kept;
}

/** S3 names every class but the standard one. */
function isSameClass(asked: string, kept: string | null): boolean {
  return asked === (kept ?? "STANDARD");
}

function isSameTime(asked: string, kept: string | null): boolean {
  return isSameSecond(asked, kept ?? "");
}

/** Of none there is nothing to tell. */
function isSameHold(asked: string, kept: string | null): boolean {
  return asked === (kept ?? "OFF");
}
