/** POST /v1/s3/credentials: S3 credentials for a while, for whoever may not give their own to a program. */

import { Hono } from "hono";
import * as v from "valibot";
import { sessionTime } from "../../auth/gateway-credentials.ts";
import { MAX_SESSION, openSession, type Session } from "../../auth/session.ts";
import type { AppEnv, Asked } from "../../front/context.ts";
import { Refused } from "../../refused.ts";
import { strictObject } from "../../validation.ts";
import { limitBody, readJsonIfAny, valid } from "../body.ts";

export const bodySchema = strictObject({
  expiresIn: v.optional(
    v.pipe(
      v.number(),
      v.integer("must be whole seconds"),
      v.minValue(1, "must be at least 1 second"),
      v.maxValue(MAX_SESSION, `must be at most ${MAX_SESSION} seconds (12 hours)`),
    ),
  ),
});
export const querySchema = v.strictObject({ format: v.optional(v.picklist(["credential_process"])) });

export interface CredentialsInput {
  json: v.InferInput<typeof bodySchema>;
  query?: v.InferInput<typeof querySchema>;
}

export const s3CredentialsRoutes = new Hono<AppEnv>()
  .use(limitBody)
  .post("/credentials", async (c: Asked<CredentialsInput>) => {
    const { service, caller, trail } = c.var;
    const { format } = valid(querySchema, c.req.query());
    const { expiresIn } = valid(bodySchema, await readJsonIfAny(c));
    const session = await trail.record(async (draft) => {
      // STS's own name of it.
      draft.operation = "GetSessionToken";
      const now = Date.now();
      const most = sessionTime(caller, now);
      if (expiresIn !== undefined && expiresIn > most)
        throw Refused.field(
          "expiresIn",
          `must be at most ${most} seconds: so long the token that asks lasts`,
        );
      const opened = await openSession(caller, expiresIn ?? most, service, now);
      draft.expiresAt = isoOf(opened);
      return opened;
    });
    return c.json(format === undefined ? plain(session) : forAws(session));
  });

function plain(session: Session) {
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  return { accessKeyId, secretAccessKey, sessionToken, expiration: isoOf(session) };
}

/** @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
function forAws(session: Session) {
  return {
    Version: 1,
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: isoOf(session),
  };
}

/** Whole seconds. */
function isoOf({ endsAt }: Session): string {
  return `${new Date(endsAt).toISOString().slice(0, -5)}Z`;
}
