/** DELETE /v1/objects/{bucket}?key=: removes an object whose name no path can hold. */

import * as v from "valibot";
import type { Draft } from "../../audit/event.ts";
import { checkHeaders } from "../../edge/request-headers.ts";
import { removeObject } from "../../edge/upload.ts";
import type { AppContext } from "../../front/context.ts";
import { operate } from "../../objects/operate.ts";
import { objectKey, objectName } from "../../s3/api/object-key.ts";
import { TABLE } from "../../s3/api/operations.ts";
import { requestSchema } from "../../s3/api/request-schema.ts";
import { S3Bucket } from "../../s3/store/client.ts";
import { deleteByName } from "../../s3/store/delete-objects.ts";
import { valid } from "../body.ts";
import { bucketIn } from "../object-path.ts";

export const namedSchema = requestSchema({ key: objectName }, TABLE.DeleteObject);

export type NamedQuery = v.InferInput<typeof namedSchema>;

export function removeNamed(c: AppContext) {
  const read = (draft: Draft) => {
    const bucket = bucketIn(c);
    draft.bucket = bucket;
    const { key, versionId } = valid(namedSchema, c.req.query());
    Object.assign(draft, { key, versionId });
    // Conditions are not for objects that are named so, nor is anything else.
    checkHeaders(c.req.raw.headers);
    return { bucket, key, versionId };
  };
  const plan = { operation: "DeleteObject", permission: "delete", read } as const;
  return operate(c.var, plan, async ({ request: { key, versionId }, bucket, ...use }) => {
    const credentials = await use.credentials();
    if (v.is(objectKey, key)) await removeObject({ bucket, key, versionId, credentials });
    else await deleteByName(new S3Bucket(bucket, credentials), { key, versionId });
    return c.body(null, 204);
  });
}
