/** Whom everything belongs to: there is one caller. */
import { S3Error } from "./errors.ts";
import type { Named } from "./ssec.ts";

const ACCOUNT = "000000000000";

export const OWNER = { ID: "owner", DisplayName: "owner" };

/** @throws {S3Error} AccessDenied when a request expects its buckets to be another account's */
export function checkExpectedOwner(named: Named): void {
  for (const name of ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"]) {
    const expected = named[name]?.toString();
    if (expected !== undefined && expected !== ACCOUNT) throw new S3Error("AccessDenied", "Access Denied");
  }
}
