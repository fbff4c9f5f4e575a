/** Conditional requests (RFC 9110, section 13), as S3 reads them: an ETag counts without its quotes as well. */
import { S3Error } from "./errors.ts";

/** The values of If-Match and its kin, or of their x-amz-copy-source-* twins. */
export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
}

/** What conditions are about. */
export interface Representation {
  readonly etag: string;
  /** Milliseconds since the epoch, whole seconds. */
  readonly modified: number;
}

/** @throws {S3Error} PreconditionFailed, or NotModified where `reading` */
export function checkConditions(conditions: Conditions, there: Representation, reading: boolean): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const { etag, modified } = there;
  if (ifMatch !== undefined) {
    if (!names(ifMatch, etag, "strong")) throw failed("If-Match");
  } else if (modified > (httpDate(ifUnmodifiedSince) ?? Infinity)) throw failed("If-Unmodified-Since");
  const isSame =
    ifNoneMatch !== undefined
      ? names(ifNoneMatch, etag, "weak")
      : modified <= (httpDate(ifModifiedSince) ?? -Infinity);
  if (!isSame) return;
  throw reading
    ? new S3Error("NotModified", "Not Modified", {}, validators(there))
    : failed(ifNoneMatch === undefined ? "If-Modified-Since" : "If-None-Match");
}

/** Conditions of a write: that nothing is there, or exactly this. */
export type WriteConditions = Pick<Conditions, "ifMatch" | "ifNoneMatch">;

/** What a write may be given beside its conditions, and S3 would have to ignore. */
const NOT_OF_WRITES = ["if-modified-since", "if-unmodified-since", "if-range", "range", "content-range"];

/** @throws {S3Error} NotImplemented for a condition that S3 does not know on a write */
export function writeConditions(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): WriteConditions {
  const stray = NOT_OF_WRITES.find((name) => headers[name] !== undefined);
  const ifMatch = headers["if-match"]?.toString();
  const ifNoneMatch = headers["if-none-match"]?.toString();
  if (stray !== undefined) throw notImplemented(stray);
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") throw notImplemented("if-none-match");
  if (ifMatch !== undefined && ifNoneMatch !== undefined) throw notImplemented("if-none-match");
  return { ifMatch, ifNoneMatch };
}

/** @throws {S3Error} PreconditionFailed; NoSuchKey where something must be there and nothing is */
export function checkWrite(
  { ifMatch, ifNoneMatch }: WriteConditions,
  there: Representation | undefined,
): void {
  if (ifMatch !== undefined && there === undefined)
    throw new S3Error("NoSuchKey", "The specified key does not exist.");
  if (ifNoneMatch !== undefined && there !== undefined) throw failed("If-None-Match");
  if (ifMatch !== undefined && there !== undefined && !names(ifMatch, there.etag, "strong"))
    throw failed("If-Match");
}

/** DeleteObject's condition: it is false of what is not there. */
export function checkDelete(ifMatch: string | undefined, there: Representation | undefined): void {
  if (ifMatch !== undefined && (there === undefined || !names(ifMatch, there.etag, "strong")))
    throw failed("If-Match");
}

/** Whether a range is still one of the representation that If-Range names. */
export function holdsIfRange(ifRange: string | undefined, { etag, modified }: Representation): boolean {
  if (ifRange === undefined) return true;
  const date = httpDate(ifRange);
  return date === undefined ? names(ifRange, etag, "strong") : date === modified;
}

/** What says which representation an answer is about. */
export function validators({ etag, modified }: Representation): Record<string, string> {
  return { etag: `"${etag}"`, "last-modified": new Date(modified).toUTCString() };
}

function failed(condition: string): S3Error {
  const message = "At least one of the pre-conditions you specified did not hold";
  return new S3Error("PreconditionFailed", message, { Condition: condition });
}

function notImplemented(header: string): S3Error {
  return new S3Error(
    "NotImplemented",
    "A header you provided implies functionality that is not implemented",
    {
      Header: header,
    },
  );
}

/** Whether a list of entity tags names this one; a weak tag never does in a strong comparison. */
function names(list: string, etag: string, comparison: "strong" | "weak"): boolean {
  return list
    .split(",")
    .map((one) => one.trim())
    .map((one) => (comparison === "weak" ? one.replace(/^W\//, "") : one))
    .some((one) => one === "*" || one === etag || one === `"${etag}"`);
}

/** One of the three forms of HTTP's date, to milliseconds; a condition of any other date is not one. */
function httpDate(date: string | undefined): number | undefined {
  const text = date?.trim() ?? "";
  const imf = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;
  const rfc850 = /^\w{6,9}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT$/;
  const asctime = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;
  const isForm = [imf, rfc850, asctime].some((form) => form.test(text));
  const time = isForm ? Date.parse(asctime.test(text) ? `${text} GMT` : text.replace(/-/g, " ")) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
