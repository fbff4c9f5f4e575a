/** POST /v1/verify: whether an object is encrypted under a customer key, proven by what the store refuses. */
import { Hono } from "hono";
import * as v from "valibot";
import { authorise } from "../../auth/grants.ts";
import { FIELDS, keyId } from "../../s3/api/fields.ts";
import { objectKey } from "../../s3/api/object-key.ts";
import { credentialsOf } from "../../s3/store/credentials.ts";
import { confirmUnderKey, headObject } from "../../s3/store/stored.ts";
import { WhichKey } from "../../s3/store/which-key.ts";
import { limitBody, readJson, valid } from "../body.ts";
import type { AppContext, AppEnv } from "../context.ts";

const schema = v.strictObject({
  bucket: v.string(),
  key: objectKey,
  versionId: v.optional(FIELDS.versionId.schema),
  keyId: v.optional(keyId),
});

export const verifyRoutes = new Hono<AppEnv>().use(limitBody).post("/", (c) => verify(c));

async function verify(c: AppContext): Promise<Response> {
  const { service, caller, trail } = c.var;
  const input = await readJson(c);
  return trail.record(async (draft) => {
    draft.operation = "VerifyObject";
    const { bucket: name, key, versionId, keyId } = valid(schema, input);
    Object.assign(draft, { bucket: name, key, versionId });
    const { bucket } = authorise(service.config, caller, "read", { bucket: name, key });
    const object = { bucket, key, versionId };
    const credentials = await credentialsOf(bucket.store, service.secrets);

    // What the store hands to somebody without a key is not encrypted under one, whatever else it says.
    const inTheClear = await headObject(object, undefined, credentials);
    if (inTheClear !== undefined) return c.json({ encrypted: false, ...inTheClear.stored });

    const customerKey = await new WhichKey(service).forStored({ ...object, keyId, keyIdPath: "keyId" });
    Object.assign(draft, { keyId: customerKey.id, keyMD5: customerKey.md5 });
    const stored = await confirmUnderKey(object, customerKey, credentials);
    draft.bytes = stored.size;
    return c.json({ encrypted: true, keyId: customerKey.id, ...stored });
  });
}
