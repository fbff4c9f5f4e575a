/** An object is read, or asked for its headers, through the edge. */

import { preconditionsOf } from "../edge/conditions.ts";
import { type Downloaded, download } from "../edge/download.ts";
import { singleRange } from "../edge/range.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { Refused } from "../refused.ts";
import { type FieldValues, send } from "../s3/api/fields.ts";
import { WhichKey } from "../s3/store/which-key.ts";
import type { Service } from "../service.ts";
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
  service: Service,
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
  const found = await use.key("stored", { versionId, keyId });
  const { customerKey, answer } = await read(found).catch(async (error: unknown) => {
    // A rotation may re-encrypt it after its key was found, and before it is read.
    const isElsewhere = error instanceof Refused && error.reason === "key-unknown";
    if (!isElsewhere || keyId !== undefined || bucket.keys.length === 1) throw error;
    const wanted = { bucket, key, versionId, keyIdPath: "keyId" };
    const now = await new WhichKey(service).forStored(wanted);
    Object.assign(draft, { keyId: now.id, keyMD5: now.md5 });
    return read(now);
  });
  const length = answer.headers["content-length"];
  if (method === "GET" && answer.status !== 304 && length !== undefined) draft.bytes = Number(length);
  return { customerKey, answer };
}
