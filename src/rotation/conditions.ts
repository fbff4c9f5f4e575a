/** Conditions on what is replaced, in the spelling that a store understands. */
import type { Spelling } from "./state.ts";

/** ETags come with their quotes or without. */
export function bare(etag: string): string {
  return etag.replace(/^"|"$/g, "");
}

export function ifMatch(spelling: Spelling, etag: string): Record<string, string> {
  switch (spelling) {
    case "quoted":
      return { "if-match": `"${bare(etag)}"` };
    case "bare":
      return { "if-match": bare(etag) };
    case "r2":
      // R2 means the source by If-Match of a copy.
      return { "cf-copy-destination-if-match": `"${bare(etag)}"` };
    case undefined:
      return {};
  }
}

export function ifSourceMatch(spelling: Spelling, etag: string): Record<string, string> {
  const { "if-match": value } = ifMatch(spelling, etag);
  return value === undefined ? {} : { "x-amz-copy-source-if-match": value };
}
