/**
 * What each route makes of a request's headers. What S3 or HTTP gives a meaning to is carried out or refused by name:
 * a header that is passed over in silence is an upload that replaces an object by its tail, or a condition that nobody
 * held. Everything else, as clients, browsers and proxies send it, means nothing here and passes.
 */
import { type FieldError, Problem } from "../problem.ts";
import { PRECONDITION_HEADERS } from "./conditions.ts";
import { DIGEST_HEADERS } from "./digests.ts";
import { METADATA, UPLOADED } from "./headers.ts";

/** Routes by what they honour; `json` are all whose request is JSON, or nothing but its address. */
export type Route =
  | "PutObject"
  | "GetObject"
  | "HeadObject"
  | "DeleteObject"
  | "CreateMultipartUpload"
  | "CompleteMultipartUpload"
  | "json";

const { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince } = PRECONDITION_HEADERS;
/** If-Modified-Since is for reading alone (RFC 9110, section 13.1.3). */
const OF_WRITES = [ifMatch, ifNoneMatch, ifUnmodifiedSince];
const OF_READS = [...OF_WRITES, ifModifiedSince, "range", "if-range", "x-amz-checksum-mode"];

const HONOURED: Readonly<Record<Route, ReadonlySet<string>>> = {
  PutObject: new Set([...OF_WRITES, ...DIGEST_HEADERS, ...Object.keys(UPLOADED)]),
  GetObject: new Set(OF_READS),
  HeadObject: new Set(OF_READS),
  DeleteObject: new Set(OF_WRITES),
  CreateMultipartUpload: new Set(OF_WRITES),
  CompleteMultipartUpload: new Set(OF_WRITES),
  json: new Set(),
};

/** What means something, and what to do instead; the first that fits is told. */
const MEANINGFUL: readonly (readonly [RegExp, string])[] = [
  // CloudFront's and the AWS SDK's own marks: nobody is asked for anything.
  [/^x-amz-(cf-id|user-agent)$/, ""],
  [
    /^x-amz-(copy-source-)?server-side-encryption/,
    "is the service's to send: it chooses the key by the bucket",
  ],
  [/^x-amz-(copy-source|metadata-directive|tagging-directive)/, "copies nothing here: presign CopyObject"],
  [/^x-amz-(acl$|grant-)/, "is not taken: the service's grants say who may read"],
  [
    /^x-amz-(trailer|decoded-content-length)$/,
    "is not taken: send the body as it is, without chunks of S3's own",
  ],
  [/^trailer$/, "is not taken: send what the trailer has to say as a header"],
  [/^x-amz-write-offset-bytes$/, "is not taken: an object is replaced as a whole"],
  [/^x-amz-meta-/, "means something only where an object is uploaded"],
  [/^x-amz-/, "is not carried out here: leave it out"],
  [/^if-range$/, "means something only where an object is read"],
  [
    /^if-modified-since$/,
    "means something only where an object is read: use If-Unmodified-Since or If-Match",
  ],
  [/^if(-|$)/, "is a condition that is not held here: leave it out"],
  [
    /^(content-range|range|upload-offset)$/,
    "is not taken: an object is replaced as a whole; for an upload in parts take /v1/multipart",
  ],
  [/^(content-md5|content-digest|repr-digest)$/, "is not checked here: leave it out"],
  [
    /^digest$/,
    "is not checked here: use Content-Digest, or an x-amz-checksum-* header, where an object is uploaded",
  ],
];

/** Headers of which only some values are taken, on every route. */
const VALUES: Readonly<Record<string, readonly [RegExp, string]>> = {
  "content-encoding": [/^(?!.*\baws-chunked\b)/i, "must not be aws-chunked: send the body as it is"],
  "transfer-encoding": [/^\s*chunked\s*$/i, "must be chunked alone"],
  "upload-complete": [/^\s*\?1\s*$/, "must be ?1: what follows later would replace what came before"],
  "x-amz-checksum-mode": [/^enabled$/i, "must be ENABLED"],
};

/** @throws {Problem} invalid-request with every header that the route does not carry out */
export function checkHeaders(headers: Headers, route: Route): void {
  const faults: FieldError[] = [];
  for (const [name, value] of headers) {
    const message = faultOf(name, value, route);
    if (message) faults.push({ path: name, message });
  }
  if (faults.length > 0) throw Problem.fields(faults);
}

function faultOf(name: string, value: string, route: Route): string | undefined {
  const isHonoured = HONOURED[route].has(name) || (route === "PutObject" && name.startsWith(METADATA));
  const refusal = isHonoured ? undefined : MEANINGFUL.find(([pattern]) => pattern.test(name));
  if (refusal !== undefined) return refusal[1];
  const [taken, otherwise] = VALUES[name] ?? [];
  return taken?.test(value) === false ? otherwise : undefined;
}
