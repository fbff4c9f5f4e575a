/** Which version of an object a request means, and what answers say of versions. */
import type { Call, Place, Store } from "./call.ts";
import { validators } from "./conditions.ts";
import { S3Error } from "./errors.ts";
import { nameOf, nextOrder } from "./order.ts";
import { NULL_VERSION, type ObjectRow } from "./rows.ts";

/** Undefined: never enabled. */
export type Versioning = "Enabled" | "Suspended" | undefined;

export function versioningOf({ database }: Store, bucket: string): Versioning {
  return database.setting(bucket, "versioning") as Versioning;
}

/** The version that the next write to a key makes: to be put there at once. */
export function nextVersion({ store, bucket, key }: Place): Pick<ObjectRow, "version" | "order"> {
  const order = nextOrder((store.database.newest(bucket, key)?.order ?? 0) + 1);
  const isKept = versioningOf(store, bucket) === "Enabled";
  return { version: isKept ? nameOf(order, "base64url") : NULL_VERSION, order };
}

/** x-amz-version-id, in a bucket that has had versions. */
export function versionHeaders(
  { store, bucket }: Pick<Place, "store" | "bucket">,
  version: string,
): Record<string, string> {
  return versioningOf(store, bucket) === undefined ? {} : { "x-amz-version-id": version };
}

/** The versionId of a request, when it names one. @throws {S3Error} InvalidArgument when it is none that there could be */
export function versionIdOf({ query }: Pick<Call, "query">): string | undefined {
  const version = query.versionId;
  if (version === undefined || version === NULL_VERSION || /^[\w-]{32}$/.test(version)) return version;
  throw new S3Error("InvalidArgument", "Invalid version id specified", {
    ArgumentName: "versionId",
    ArgumentValue: version,
  });
}

/**
 * The object that is there, or the version of it that is asked for.
 *
 * @throws {S3Error} NoSuchKey, NoSuchVersion; MethodNotAllowed for a delete marker asked for by its version
 */
export function objectOf(place: Place, version?: string): ObjectRow {
  const { store, bucket, key } = place;
  const { database } = store;
  const row = version === undefined ? database.newest(bucket, key) : database.version(bucket, key, version);
  if (row === undefined) {
    throw version === undefined
      ? new S3Error("NoSuchKey", "The specified key does not exist.", { Key: key })
      : new S3Error("NoSuchVersion", "The specified version does not exist.", {
          Key: key,
          VersionId: version,
        });
  }
  if (!row.isMarker) return row;
  const marker = { "x-amz-delete-marker": "true", ...versionHeaders(place, row.version) };
  if (version === undefined)
    throw new S3Error("NoSuchKey", "The specified key does not exist.", { Key: key }, marker);
  const { "last-modified": modified = "" } = validators(row);
  throw new S3Error(
    "MethodNotAllowed",
    "The specified method is not allowed against this resource.",
    { Method: "GET", ResourceType: "DeleteMarker" },
    { ...marker, allow: "DELETE", "last-modified": modified },
  );
}
