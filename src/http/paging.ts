/** What lists are asked with. */
import * as v from "valibot";
import { MAX_KEY_BYTES } from "../s3/api/limits.ts";

/** Entries of one page, whatever they are. */
const MAX_LIMIT = 1000;

/** How many entries a page may have, as the query has it. */
export function pageLimit(byDefault: number) {
  return v.optional(
    v.pipe(v.string(), v.regex(/^([1-9]\d{0,2}|1000)$/, `must be 1 to ${MAX_LIMIT}`), v.transform(Number)),
    String(byDefault),
  );
}

/** A part of a key: what keys begin with, or what divides them. */
export const keyPart = v.pipe(
  v.string(),
  v.maxBytes(MAX_KEY_BYTES, `must be at most ${MAX_KEY_BYTES} bytes of UTF-8`),
);
