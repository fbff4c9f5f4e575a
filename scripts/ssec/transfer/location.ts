/** `BUCKET/KEY`, as the transfer commands take it: BUCKET is the table's name, KEY may hold anything, slashes too. */
import { InvalidArgumentError } from "commander";

export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** For commander: @throws {InvalidArgumentError} */
export function objectName(text: string): ObjectName {
  const { bucket, key } = bucketAndPrefix(text);
  if (bucket === "" || key === "") throw new InvalidArgumentError("as BUCKET/KEY.");
  return { bucket, key };
}

/** A bucket, and the beginning of keys in it. */
export function bucketAndPrefix(text: string): ObjectName {
  const slash = text.indexOf("/");
  return slash < 0 ? { bucket: text, key: "" } : { bucket: text.slice(0, slash), key: text.slice(slash + 1) };
}

/** Its path in the API. */
export function objectPath({ bucket, key }: ObjectName): string {
  return `/v1/objects/${encodeURIComponent(bucket)}/${key.split("/").map(encodeURIComponent).join("/")}`;
}
