/** Which of a request's headers each route carries out. */
import { PRECONDITION_HEADERS } from "./conditions.ts";
import { DIGEST_HEADERS } from "./digests.ts";
import { METADATA, UPLOADED } from "./headers.ts";
import type { IsHonoured } from "./request-headers.ts";

const { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince } = PRECONDITION_HEADERS;

const writing = new Set<string>([ifMatch, ifNoneMatch, ifUnmodifiedSince]);
/** If-Modified-Since is for reading alone (RFC 9110, section 13.1.3). */
const reading = new Set<string>([...writing, ifModifiedSince, "range", "if-range", "x-amz-checksum-mode"]);
const uploading = new Set<string>([...writing, ...DIGEST_HEADERS, ...Object.keys(UPLOADED)]);

/** Where an object is read. */
export const whenReading: IsHonoured = (name) => reading.has(name);

/** Where one is removed, or an upload in parts begun or ended. */
export const whenWriting: IsHonoured = (name) => writing.has(name);

/** Where a body becomes one. */
export const whenUploading: IsHonoured = (name) => uploading.has(name) || name.startsWith(METADATA);
