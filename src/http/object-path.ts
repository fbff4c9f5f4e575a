/** What the path of a request to /v1/objects names, as it stands: a router would decode what belongs to the key. */

import * as v from "valibot";
import type { AppContext } from "../front/context.ts";
import { Refused } from "../refused.ts";
import { objectKey } from "../s3/api/object-key.ts";
import { valid } from "./body.ts";

const schema = v.object({ key: objectKey });

/** @throws {Refused} invalid-request */
export function bucketIn(c: AppContext): string {
  return decoded(named(c)[0], "bucket");
}

/** @throws {Refused} invalid-request */
export function objectIn(c: AppContext): { bucket: string; key: string } {
  const [bucket, key] = named(c);
  return { bucket: decoded(bucket, "bucket"), key: valid(schema, { key: decoded(key, "key") }).key };
}

/** Below where the app is mounted. */
function named(c: AppContext): [bucket: string, key: string] {
  const [, bucket = "", key = ""] = /^\/v1\/objects\/([^/]+)(?:\/(.*))?$/s.exec(c.req.path) ?? [];
  return [bucket, key];
}

/** @throws {Refused} invalid-request */
export function decoded(text: string, path: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw Refused.field(path, "is not percent-encoded UTF-8");
  }
}
