/**
 * DeleteObjects, which names objects in its body. Forms make keys with ".." as a segment, since a policy can only say how
 * a key begins, and no HTTP client sends a path that has one.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
import { Refused } from "../../refused.ts";
import { escapeXml } from "../api/escape-xml.ts";
import type { S3Bucket } from "./client.ts";
import { refusalIn } from "./fetch.ts";
import { type Element, elementsOf, textOf } from "./xml.ts";

const { createHash } = process.getBuiltinModule("node:crypto");

const NAME = "DeleteObjects";

/** What XML 1.0 cannot hold, not even as a reference. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const NOT_IN_XML = /[\0-\x08\v\f\x0e-\x1f\ufffe\uffff]/;

export interface NamedObject {
  readonly key: string;
  readonly versionId: string | undefined;
}

/** An object that has gone. */
export interface Deleted {
  /** Of the marker that has come in its place, or has gone, in a bucket with versions. */
  readonly markerId?: string | undefined;
}

/**
 * An object that is not there is gone already.
 *
 * @throws {Refused} invalid-request for a key that XML cannot name; what the store's refusal means; store-error,
 * store-timeout
 */
export async function deleteByName(store: S3Bucket, object: NamedObject): Promise<void> {
  const [removed] = await deleteAll(store, [object]);
  if (removed instanceof Refused) throw removed;
}

/**
 * Removes up to a thousand objects; one that is named several times goes once.
 *
 * @returns for each in its place what has become of it, or why it is still there
 * @throws {Refused} where nothing was removed: what the store's refusal means; store-error, store-timeout
 */
export async function deleteAll(
  store: S3Bucket,
  objects: readonly NamedObject[],
): Promise<(Refused | Deleted)[]> {
  const nameable = objects.filter(({ key }) => !NOT_IN_XML.test(key));
  // Of one that is named twice, Ceph RGW 16.2.15 dies: docs/stores.md.
  const named = [...new Map(nameable.map((object) => [idOf(object), object])).values()];
  const results = new Map<string, Refused | Deleted>();
  const { deleted, errors } = named.length === 0 ? { deleted: [], errors: [] } : await run(store, named);
  for (const one of deleted) {
    const [key = "", versionId, markerId] = ["Key", "VersionId", "DeleteMarkerVersionId"].map((name) =>
      textOf(one, name),
    );
    if (textOf(one, "DeleteMarker")?.trim() === "true")
      results.set(idOf({ key, versionId: versionId || undefined }), { markerId });
  }
  for (const error of errors) {
    const refused = await refusedFor(error, store);
    if (refused === undefined) continue;
    const [key, versionId] = [textOf(error, "Key"), textOf(error, "VersionId")];
    const object = named.find((one) => one.key === key && (one.versionId ?? "") === (versionId ?? ""));
    const alike = object ?? named.find((one) => one.key === key);
    // What is said of nothing that was named may be about all of it.
    if (alike === undefined) throw refused;
    results.set(idOf(alike), refused);
  }
  return objects.map((object) =>
    NOT_IN_XML.test(object.key)
      ? Refused.field("key", "holds control characters, which XML cannot name")
      : (results.get(idOf(object)) ?? {}),
  );
}

async function run(
  store: S3Bucket,
  objects: readonly NamedObject[],
): Promise<{ deleted: Element[]; errors: Element[] }> {
  const entries = objects.map(({ key, versionId }) => {
    const version = versionId === undefined ? "" : `<VersionId>${escapeXml(versionId)}</VersionId>`;
    return `<Object><Key>${escapeXml(key)}</Key>${version}</Object>`;
  });
  const body = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${entries.join("")}</Delete>`;
  const headers = {
    "content-type": "application/xml",
    "content-md5": createHash("md5").update(body).digest("base64"),
  };
  const request = { name: NAME, method: "POST", query: { delete: "" }, headers, body };
  const { element } = await store.run(request, "DeleteResult");
  return { deleted: elementsOf(element, "Deleted"), errors: elementsOf(element, "Error") };
}

async function refusedFor(error: Element, { bucket }: S3Bucket): Promise<Refused | undefined> {
  if (textOf(error, "Code") === "NoSuchKey") return undefined;
  return refusalIn(error, { method: NAME, bucket });
}

function idOf({ key, versionId }: NamedObject): string {
  return JSON.stringify([key, versionId]);
}
