/** PutObject and DeleteObject. */
import { putObject as put } from "../objects/put-object.ts";
import { removeObject } from "../objects/remove-object.ts";
import { Refused } from "../refused.ts";
import type { FieldValues } from "../s3/api/fields.ts";
import { OPERATIONS, type OperationName, type PresignRequest } from "../s3/api/operations.ts";
import type { Call } from "./call.ts";
import { S3Fault } from "./faults.ts";
import { fieldsOf, placeOf } from "./fields.ts";
import { heldByLink } from "./link-limits.ts";
import { etagHeader } from "./read-object.ts";

export function putObject(call: Call): Promise<Response> {
  const { query, service, later } = call;
  return call.onObject("write", async (writing) => {
    const { stream, length, digests } = bodyOf(call);
    writing.draft.bytes = length;
    const headers = heldByLink(call, length);
    const fields = fieldsOf("PutObject", headers, query);
    checkTogether("PutObject", fields);
    const { uploaded } = await put(
      writing,
      { body: stream, length, fields, digests, headers },
      service,
      later,
    );
    return call.empty(200, {
      ...etagHeader(uploaded.etag),
      ...versionHeader(uploaded.versionId),
      ...digests.checksums(),
    });
  });
}

/** S3 takes no body whose length nobody says. @throws {S3Fault} MissingContentLength */
export function bodyOf({ body }: Call) {
  const { length } = body;
  if (length !== undefined) return { ...body, stream: body.stream, digests: body.digests, length };
  throw new S3Fault("MissingContentLength", "You must provide the Content-Length HTTP header.");
}

/** @throws {Refused} invalid-request for fields that do not go together, by the header of one */
export function checkTogether(operation: OperationName, fields: FieldValues): void {
  const fault = OPERATIONS[operation].fault?.(fields as unknown as PresignRequest);
  if (fault !== undefined) throw Refused.fields([{ ...fault, path: placeOf(fault.path) }]);
}

export function versionHeader(versionId: string | undefined): Record<string, string> {
  return versionId === undefined ? {} : { "x-amz-version-id": versionId };
}

export function deleteObject(call: Call): Promise<Response> {
  const { headers, query, service } = call;
  return call.onObject("delete", async (removing) => {
    const { versionId } = fieldsOf("DeleteObject", headers, query);
    const removed = await removeObject(removing, { versionId, headers }, service);
    return call.empty(204, {
      ...versionHeader(removed.versionId ?? versionId),
      ...(removed.isMarker === true && { "x-amz-delete-marker": "true" }),
    });
  });
}
