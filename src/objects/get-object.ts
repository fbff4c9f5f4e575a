/** An object is read, or asked for its headers, through the edge. */

import { preconditionsOf } from "../edge/conditions.ts";
import { type Downloaded, download } from "../edge/download.ts";
import { singleRange } from "../edge/range.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { Refused } from "../refused.ts";
import { type FieldValues, send } from "../s3/api/fields.ts";
import type { Addressed, Operating } from "./operate.ts";

export interface Reading {
  readonly method: "GET" | "HEAD";
  readonly versionId?: string | undefined;
  readonly partNumber?: number | undefined;
  readonly response?: FieldValues["response"] | undefined;
  readonly keyId?: string | undefined;
  /** Of the client's request: range, conditions, x-amz-checksum-mode. */
  readonly headers: Headers;
}

/** @throws {Refused} as `download` does; invalid-request for a range of a part */
export async function getObject(
  { request: { key }, bucket, draft, ...use }: Operating<Addressed>,
  { method, versionId, partNumber, keyId, response, headers }: Reading,
): Promise<{ customerKey: CustomerKey; answer: Downloaded }> {
  const conditions = preconditionsOf(headers);
  const range = singleRange(headers.get("range") ?? undefined);
  if (range !== undefined && partNumber !== undefined)
    throw Refused.field("range", "cannot be asked for beside partNumber");
  draft.versionId = versionId;
  const checksumMode = headers.get("x-amz-checksum-mode");
  const read = async (customerKey: CustomerKey) => {
    const answer = await download({
      method,
      bucket,
      key,
      versionId,
      partNumber,
      query: send({ ...(response && { response }), ...(partNumber !== undefined && { partNumber }) }).query,
      headers: checksumMode === null ? {} : { "x-amz-checksum-mode": "ENABLED" },
      range,
      ifRange: headers.get("if-range") ?? undefined,
      conditions,
      customerKey,
      credentials: await use.credentials(),
    });
    return { customerKey, answer };
  };
  const { customerKey, answer } = await use.underStored(read, { versionId, keyId });
  const length = answer.headers["content-length"];
  if (method === "GET" && answer.status !== 304 && length !== undefined) draft.bytes = Number(length);
  return { customerKey, answer };
}
