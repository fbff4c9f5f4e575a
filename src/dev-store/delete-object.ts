/** DeleteObject and DeleteObjects: a version that is named goes; otherwise a bucket with versions gets a delete marker. */
import { documentOf, requireDigest } from "./body.ts";
import { answer, type Call, header, type Place } from "./call.ts";
import { checkDelete } from "./conditions.ts";
import { S3Error } from "./errors.ts";
import { authorize } from "./evaluate.ts";
import { checkUnlocked } from "./locks.ts";
import { OBJECT_DEFAULTS, type ObjectRow } from "./rows.ts";
import { refuseSse } from "./ssec.ts";
import { nextVersion, versionHeaders, versionIdOf, versioningOf } from "./versions.ts";
import { seconds } from "./write.ts";
import { allElements, malformed, parseXml, text, xml } from "./xml.ts";

const MAX_OBJECTS = 1000;
/** A thousand keys of a kibibyte, each byte as a reference. */
const MAX_DOCUMENT_BYTES = 8 * 2 ** 20;

export async function deleteObject(call: Call): Promise<void> {
  refuseSse(call.headers, "by DeleteObject");
  const stray = [
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
  ].find((name) => name in call.headers);
  if (stray !== undefined) {
    throw new S3Error(
      "NotImplemented",
      "A header you provided implies functionality that is not implemented",
      {
        Header: stray,
      },
    );
  }
  const version = versionIdOf(call);
  const removed = await remove(call, version, header(call, "if-match"), bypassesGovernance(call));
  answer(call, 204, {
    ...(removed.isMarker && { "x-amz-delete-marker": "true" }),
    ...(removed.version !== undefined && versionHeaders(call, removed.version)),
  });
}

export async function deleteObjects(call: Call): Promise<void> {
  requireDigest(call);
  const { store, bucket } = call;
  const document = parseXml(await documentOf(call, MAX_DOCUMENT_BYTES), "Delete");
  const wanted = allElements(document, "Object").map((object) => ({
    key: text(object, "Key"),
    version: text(object, "VersionId"),
    etag: text(object, "ETag"),
  }));
  if (wanted.length === 0 || wanted.length > MAX_OBJECTS) throw malformed("there must be 1 to 1000 Objects.");
  const isQuiet = text(document, "Quiet") === "true";
  const bypasses = bypassesGovernance(call);
  const deleted: object[] = [];
  const errors: object[] = [];
  for (const { key, version: versionId, etag } of wanted) {
    if (!key) throw malformed("every Object has a Key.");
    const named = { Key: key, ...(versionId && { VersionId: versionId }) };
    try {
      authorize(store, {
        action: versionId ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
        bucket,
        key,
        named: call.headers,
      });
      const version = versionIdOf({ query: versionId ? { versionId } : {} });
      const removed = await remove({ store, bucket, key }, version, etag, bypasses);
      const marker = removed.isMarker &&
        removed.version !== undefined && { DeleteMarker: true, DeleteMarkerVersionId: removed.version };
      deleted.push({ ...named, ...marker });
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      errors.push({ ...named, Code: error.code, Message: error.message });
    }
  }
  answer(call, 200, {}, xml("DeleteResult", { Deleted: isQuiet ? [] : deleted, Error: errors }));
}

interface Removed {
  readonly isMarker: boolean;
  /** Of the version that went, or of the delete marker that came. */
  readonly version: string | undefined;
}

async function remove(
  place: Place,
  version: string | undefined,
  ifMatch: string | undefined,
  bypasses: boolean,
): Promise<Removed> {
  const { store, bucket, key } = place;
  const { database, segments, verifier } = store;
  checkDelete(
    ifMatch,
    version === undefined ? database.object(bucket, key) : database.version(bucket, key, version),
  );
  const versioning = versioningOf(store, bucket);
  if (version !== undefined || versioning === undefined) {
    const there = database.version(bucket, key, version ?? "null");
    if (there !== undefined) {
      checkUnlocked(there.lock, verifier.now(), bypasses);
      database.deleteVersion(bucket, key, there.version);
      await segments.remove(there.segments);
    }
    return { isMarker: there?.isMarker ?? false, version };
  }
  const marker = markerOf(place);
  const replaced = database.putVersion(bucket, marker);
  if (replaced !== undefined) await segments.remove(replaced.segments);
  return { isMarker: true, version: marker.version };
}

function markerOf(place: Place): ObjectRow {
  return {
    ...OBJECT_DEFAULTS,
    key: place.key,
    ...nextVersion(place),
    isMarker: true,
    etag: "",
    size: 0,
    modified: seconds(place.store.verifier.now()),
    keyMd5: null,
    headers: {},
    segments: [],
    uploadId: null,
  };
}

/** Who asks for it must be allowed it. */
function bypassesGovernance(call: Call): boolean {
  if (header(call, "x-amz-bypass-governance-retention")?.toLowerCase() !== "true") return false;
  const { store, bucket, key, headers } = call;
  authorize(store, { action: "s3:BypassGovernanceRetention", bucket, key, named: headers });
  return true;
}
