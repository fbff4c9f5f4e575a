/** Our rule in a bucket's CORS configuration, known by its ID; what is not ours stays as it is. */
import type { CORSRule } from "@aws-sdk/client-s3";
import { ALGORITHM_HEADER, KEY_MD5_HEADER } from "../keys/headers.ts";

const OUR_ID = "ssec-edge";

export const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"] as const;

/** What a page must be able to read: ETags for multipart uploads, and that the store has encrypted. */
export const EXPOSED = ["ETag", ALGORITHM_HEADER, KEY_MD5_HEADER] as const;

export function ourRule(origins: readonly string[]): CORSRule {
  return {
    ID: OUR_ID,
    AllowedOrigins: [...origins],
    AllowedMethods: [...METHODS],
    AllowedHeaders: ["*"],
    ExposeHeaders: [...EXPOSED],
    MaxAgeSeconds: 3600,
  };
}

/** Rules with ours before them, since the first that fits is the one that counts. */
export function merge(rules: readonly CORSRule[], origins: readonly string[]): CORSRule[] {
  return [ourRule(origins), ...without(rules)];
}

export function without(rules: readonly CORSRule[]): CORSRule[] {
  return rules.filter(({ ID }) => ID !== OUR_ID);
}
