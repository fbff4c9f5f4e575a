/** POST /v1/presign and /v1/presign/batch: a presigned URL and exactly what to send with it. */

import { Hono } from "hono/quick";
import type { Draft } from "../../audit/event.ts";
import type { AppEnv, Asked } from "../../front/context.ts";
import { chargeItems } from "../../front/middleware.ts";
import { tooManyRequests } from "../../front/rate-limit.ts";
import { operate } from "../../objects/operate.ts";
import { Refused } from "../../refused.ts";
import { OPERATION_NAMES, type OperationName, type PresignInput } from "../../s3/api/operations.ts";
import { BATCH_CONCURRENCY, MAX_BATCH, mapInOrder } from "../batch.ts";
import { limitBody, readJson } from "../body.ts";
import { report } from "../errors.ts";
import { type Answer, askerOf, type BatchAsker, parse, permission, presignOne } from "../presigned.ts";

export const presignRoutes = new Hono<AppEnv>()
  .use(limitBody)
  .post("/", async (c: Asked<{ json: PresignInput }>) => {
    const isText = await isTextWanted(c.req.header("accept"));
    const given = await answer(await readJson(c), askerOf(c), true, isText);
    return isText ? c.text(given.snippet ?? "") : c.json(given);
  })
  .post("/batch", async (c: Asked<{ json: { readonly requests: readonly PresignInput[] } }>) => {
    const requests = batchOf(await readJson(c));
    const asker = askerOf(c);
    // The first is what the request itself was counted for.
    const allowed = requests.length === 0 ? 0 : 1 + (await chargeItems(c, requests.length - 1));
    const results = await mapInOrder(requests, BATCH_CONCURRENCY, async (request, i) => {
      try {
        return await answer(request, asker, i < allowed);
      } catch (error) {
        return { problem: report(error, asker.requestId, asker.trail).details };
      }
    });
    return c.json({ results });
  });

/** @param isAllowed whether the caller may ask for it now @param isText whether its snippet is all that is wanted */
function answer(input: unknown, asker: BatchAsker, isAllowed: boolean, isText = false): Promise<Answer> {
  const read = (draft: Draft) => {
    const operation = operationOf(input);
    draft.operation = operation;
    if (!isAllowed) throw tooManyRequests();
    const request = parse(input, operation);
    if (isText && request.snippet === undefined)
      throw Refused.field("snippet", "must be given, as it is all that there is in text/plain");
    draft.bytes = request.contentLength;
    return request;
  };
  return operate(asker, { permission, read }, (operating) => presignOne(operating, asker));
}

/** @throws {Refused} invalid-request */
function operationOf(input: unknown): OperationName {
  const operation =
    typeof input === "object" && input !== null && "operation" in input ? input.operation : undefined;
  if (OPERATION_NAMES.includes(operation as OperationName)) return operation as OperationName;
  throw Refused.field("operation", `must be one of ${OPERATION_NAMES.join(", ")}`);
}

/** Most say nothing, or that they take everything: what looks closer is loaded for those who say more. */
async function isTextWanted(accept: string | undefined): Promise<boolean> {
  if (accept === undefined || accept === "*/*") return false;
  const { prefersText } = await import("../accept.ts");
  return prefersText(accept);
}

function batchOf(input: unknown): unknown[] {
  const requests =
    typeof input === "object" && input !== null && "requests" in input ? input.requests : undefined;
  if (!Array.isArray(requests)) throw Refused.field("requests", "must be an array of presign requests");
  const [unknown] = Object.keys(input as object).filter((name) => name !== "requests");
  if (unknown !== undefined) throw Refused.field(unknown, "is not a field here");
  if (requests.length > MAX_BATCH)
    throw Refused.field("requests", `must be at most ${MAX_BATCH}: send several batches`);
  return requests;
}
