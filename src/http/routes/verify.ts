/** POST /v1/verify: whether an object is encrypted under a customer key, proven by what the store refuses. */
import { Hono } from "hono";
import * as v from "valibot";
import type { AppContext, AppEnv, Asked } from "../../front/context.ts";
import { operate } from "../../objects/operate.ts";
import { keyId } from "../../s3/api/fields.ts";
import { objectKey } from "../../s3/api/object-key.ts";
import { requestSchema } from "../../s3/api/request-schema.ts";
import { confirmUnderKey, headObject } from "../../s3/store/stored.ts";
import { limitBody, readJson, valid } from "../body.ts";

export const verifySchema = requestSchema(
  { bucket: v.string(), key: objectKey, keyId: v.optional(keyId) },
  { fields: ["versionId"] },
);

export const verifyRoutes = new Hono<AppEnv>()
  .use(limitBody)
  .post("/", (c: Asked<{ json: v.InferInput<typeof verifySchema> }>) => verify(c));

async function verify(c: AppContext) {
  const input = await readJson(c);
  const plan = {
    operation: "VerifyObject",
    permission: "read",
    read: () => valid(verifySchema, input),
  } as const;
  return operate(c.var, plan, async ({ request, bucket, draft, ...use }) => {
    const object = { bucket, key: request.key, versionId: request.versionId };
    const credentials = await use.credentials();

    // What the store hands to somebody without a key is not encrypted under one, whatever else it says.
    const inTheClear = await headObject(object, undefined, credentials);
    if (inTheClear !== undefined) return c.json({ encrypted: false, ...inTheClear.stored });

    return use.underStored(async (customerKey) => {
      const { versionId: _, ...stored } = await confirmUnderKey(object, customerKey, credentials);
      draft.bytes = stored.size;
      return c.json({ encrypted: true, keyId: customerKey.id, ...stored });
    });
  });
}
