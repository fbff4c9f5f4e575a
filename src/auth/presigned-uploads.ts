/**
 * Stores that take x-amz-* headers which nobody signed. Whoever holds a presigned write adds `x-amz-copy-source` to it
 * there, and so reads whatever the store's credentials reach: nobody is handed one.
 */
import type { Bucket } from "../config/load.ts";
import { Refused } from "../refused.ts";
import { OPERATIONS, type OperationName } from "../s3/api/operations.ts";

/** @throws {Refused} forbidden, for an operation that is not presigned in this bucket's store */
export function requirePresignable(operation: OperationName, { store }: Bucket): void {
  const { method, permission, upload } = OPERATIONS[operation];
  const isWrite = permission === "write" && (method === "PUT" || method === "POST");
  // A form is held to its policy, which names every field that there may be.
  if (store.presignedUploads !== false || !isWrite || upload === "form") return;
  throw new Refused(
    "forbidden",
    `${operation} is not presigned for this bucket, whose store takes headers that are not signed: ` +
      "go through the edge, by PUT /v1/objects/BUCKET/KEY, or by a form, PostObject.",
  );
}
