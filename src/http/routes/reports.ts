/**
 * POST /v1/reports: a client tells that the store refused what was presigned for it. The store's log may be out of
 * the operator's reach, and a browser cannot even read the refusal; here it becomes an event of the trail.
 */
import { Hono } from "hono";
import * as v from "valibot";
import { storeCode } from "../../audit/store-codes.ts";
import { authorise } from "../../auth/grants.ts";
import type { AppEnv, Asked } from "../../front/context.ts";
import { objectKey } from "../../s3/api/object-key.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../s3/api/operations.ts";
import { limitBody, readJson, valid } from "../body.ts";

export const reportSchema = v.strictObject({
  operation: v.picklist(OPERATION_NAMES),
  bucket: v.string(),
  key: objectKey,
  /** S3's code, e.g. SignatureDoesNotMatch. */
  code: v.pipe(
    v.string(),
    v.regex(/^[A-Z][A-Za-z0-9]{1,63}$/, "must be an S3 error code, as SignatureDoesNotMatch"),
  ),
});

export const reportsRoutes = new Hono<AppEnv>()
  .use(limitBody)
  .post("/", async (c: Asked<{ json: v.InferInput<typeof reportSchema> }>) => {
    const { operation, bucket, key, code } = valid(reportSchema, await readJson(c));
    authorise(c.var.service.config, c.var.caller, OPERATIONS[operation].permission, { bucket, key });
    c.var.trail.report({ operation, bucket, key, code: storeCode(code) });
    return c.body(null, 204);
  });
