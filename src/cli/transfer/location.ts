/** `BUCKET/KEY`, as the transfer commands take it: BUCKET is the table's name, KEY may hold anything, slashes too. */
import { InvalidArgumentError } from "commander";
import * as v from "valibot";
import { objectKey } from "../../s3/api/object-key.ts";

export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** An object. For commander: @throws {InvalidArgumentError} */
export function objectName(text: string): ObjectName {
  const object = placeName(text);
  if (object.key === "") throw new InvalidArgumentError("as BUCKET/KEY.");
  const fault = keyFault(object.key);
  if (fault !== undefined) throw new InvalidArgumentError(`the key ${fault}.`);
  return object;
}

/** Where something goes: an object, or a folder, which ends in a slash. For commander: @throws {InvalidArgumentError} */
export function targetName(text: string): ObjectName {
  if (!text.includes("/")) throw new InvalidArgumentError("as BUCKET/KEY, or BUCKET/ for its own name.");
  const target = placeName(text);
  return target.key === "" ? target : objectName(text);
}

/** A bucket, and the beginning of keys in it, which may be none. For commander: @throws {InvalidArgumentError} */
export function placeName(text: string): ObjectName {
  const slash = text.indexOf("/");
  const [bucket, key] = slash < 0 ? [text, ""] : [text.slice(0, slash), text.slice(slash + 1)];
  const fault = bucketFault(bucket) ?? (text.isWellFormed() ? undefined : "is not well-formed Unicode");
  if (fault !== undefined) throw new InvalidArgumentError(`the bucket ${fault}.`);
  return { bucket, key };
}

/** Whether the text names a folder, to be completed by a name. */
export function isFolderName({ key }: ObjectName): boolean {
  return key === "" || key.endsWith("/");
}

/** As cp and mv take a folder. */
export function inFolder(target: ObjectName, name: string): ObjectName {
  return isFolderName(target) ? { ...target, key: `${target.key}${name}` } : target;
}

/** What comes after the last slash; empty for a key that ends in one. */
export function lastSegment({ key }: ObjectName): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

/** `BUCKET/KEY` */
export function nameOf({ bucket, key }: ObjectName): string {
  return `${bucket}/${key}`;
}

/**
 * Its path in the API: the only place where a key becomes part of a URL. Whatever parses that URL gets the same bucket and
 * key out of it.
 *
 * @throws for a name that no URL can carry, since it would be another object's
 */
export function objectPath({ bucket, key }: ObjectName): string {
  const fault = keyFault(key);
  if (fault !== undefined) throw new Error(`no URL can name the object: its key ${fault}`);
  return `${bucketPath(bucket)}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** The path of a bucket's list. @throws as for an object */
export function bucketPath(bucket: string): string {
  const fault = bucketFault(bucket);
  if (fault !== undefined) throw new Error(`no URL can name the bucket: it ${fault}`);
  return `/v1/objects/${encodeURIComponent(bucket)}`;
}

/** What is wrong with a key, by the service's own rule; undefined for nothing. */
export function keyFault(key: string): string | undefined {
  // Of the service's own texts that is asked of all alike.
  if (!key.isWellFormed()) return "is not well-formed Unicode";
  const { success, issues } = v.safeParse(objectKey, key);
  return success ? undefined : issues[0].message;
}

function bucketFault(bucket: string): string | undefined {
  if (bucket === "") return "is not named: as BUCKET/KEY";
  if (bucket === "." || bucket === "..") return "is no name of a bucket, but of a folder";
  if (bucket === "s3:") return "and key are given as BUCKET/KEY, without s3://";
  return bucket.isWellFormed() ? undefined : "is not well-formed Unicode";
}
