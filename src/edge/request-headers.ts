/**
 * What each route makes of a request's headers. What S3 or HTTP gives a meaning to is carried out or refused by name:
 * a header that is passed over in silence is an upload that replaces an object by its tail, or a condition that nobody
 * held. Everything else, as clients, browsers and proxies send it, means nothing here and passes.
 */
import { type FieldError, Refused } from "../refused.ts";

/** Whether a route carries out a header, by its name in lower case. */
export type IsHonoured = (name: string) => boolean;

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

/** How the name of everything above begins; most headers are none of it. */
const MAY_MEAN = /^(x-amz-|if|content-|range|upload-|repr-|digest|trailer|transfer-)/;

/**
 * @param isHonoured what the route carries out; nothing, where its request is JSON or nothing but its address
 * @throws {Refused} invalid-request with every header that the route does not carry out
 */
export function checkHeaders(headers: Headers, isHonoured: IsHonoured = () => false): void {
  const faults = unhonoured(headers, isHonoured);
  if (faults.length > 0) throw Refused.fields(faults);
}

/** Every header that the route does not carry out, and what to do instead. */
export function unhonoured(headers: Headers, isHonoured: IsHonoured): FieldError[] {
  const faults: FieldError[] = [];
  for (const [name, value] of headers) {
    const message = MAY_MEAN.test(name) && faultOf(name, value, isHonoured);
    if (message) faults.push({ path: name, message });
  }
  return faults;
}

function faultOf(name: string, value: string, isHonoured: IsHonoured): string | undefined {
  const refusal = isHonoured(name) ? undefined : MEANINGFUL.find(([pattern]) => pattern.test(name));
  if (refusal !== undefined) return refusal[1];
  const [taken, otherwise] = VALUES[name] ?? [];
  return taken?.test(value) === false ? otherwise : undefined;
}
