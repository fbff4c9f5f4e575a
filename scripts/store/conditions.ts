/** Conditional requests (RFC 9110, section 13), as S3 reads them. */

import type { ObjectRow } from "./database.ts";
import { S3Error } from "./errors.ts";

/** The values of If-Match and its kin, or of their x-amz-copy-source-* twins. */
export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
}

/** @throws {S3Error} PreconditionFailed, or NotModified where `reading` */
export function checkConditions(
  conditions: Conditions,
  { etag, modified }: ObjectRow,
  reading: boolean,
): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const failed = () =>
    new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
  if (ifMatch !== undefined ? !names(ifMatch, etag) : modified > since(ifUnmodifiedSince, Infinity))
    throw failed();
  const same =
    ifNoneMatch !== undefined ? names(ifNoneMatch, etag) : modified <= since(ifModifiedSince, -Infinity);
  if (same) throw reading ? new S3Error("NotModified", "Not Modified") : failed();
}

/** The conditions of a PUT: that nothing is there, or exactly this. */
export function checkWrite(
  conditions: Pick<Conditions, "ifMatch" | "ifNoneMatch">,
  there: ObjectRow | undefined,
): void {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*")
    throw new S3Error("NotImplemented", "If-None-Match takes * here.");
  if (ifMatch !== undefined && there === undefined)
    throw new S3Error("NoSuchKey", "The specified key does not exist.");
  if ((ifNoneMatch && there) || (ifMatch !== undefined && there && !names(ifMatch, there.etag))) {
    throw new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
  }
}

function names(list: string, etag: string): boolean {
  return list.split(",").some((one) => ["*", etag, `"${etag}"`].includes(one.trim().replace(/^W\//, "")));
}

function since(date: string | undefined, otherwise: number): number {
  const time = Date.parse(date ?? "");
  return Number.isNaN(time) ? otherwise : time;
}
