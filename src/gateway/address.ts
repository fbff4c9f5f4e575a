/** Which bucket and which object a request is for, path style or virtual-hosted. */
import { S3Fault } from "./faults.ts";
import type { Place } from "./place.ts";

/** Both decoded; empty where the request names none. */
export interface Target {
  readonly bucket: string;
  readonly key: string;
}

/** @throws {S3Fault} InvalidURI where a name is not percent-encoded UTF-8, or a key stands behind no bucket */
export function targetOf({ bucket, path }: Place): Target {
  const rest = path.replace(/^\//, "");
  if (bucket !== "") return { bucket, key: decoded(rest) };
  const end = rest.indexOf("/");
  // An endpoint that ends in a slash makes two of them: a list of buckets would be taken for the object.
  if (end === 0) throw new S3Fault("InvalidURI", "Couldn't parse the specified URI: its bucket has no name.");
  return end < 0
    ? { bucket: decoded(rest), key: "" }
    : { bucket: decoded(rest.slice(0, end)), key: decoded(rest.slice(end + 1)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Fault("InvalidURI", "Couldn't parse the specified URI: it is not percent-encoded UTF-8.");
  }
}
