/** /v1/rotations: begun, looked at, cancelled and gone on with by whoever administers the bucket, or a part of it. */
import { Hono } from "hono";
import * as v from "valibot";
import type { Scope } from "../../audit/scope.ts";
import type { AppContext, AppEnv, Asked } from "../../front/context.ts";
import { CustomerKeyError } from "../../keys/customer-key.ts";
import { operate } from "../../objects/operate.ts";
import { Refused } from "../../refused.ts";
import { directionOf } from "../../rotation/plan.ts";
import { type Rotation, type RotationReport, reportOf } from "../../rotation/state.ts";
import { type Rotations, rotationsOf } from "../../rotation-service.ts";
import { keyId } from "../../s3/api/fields.ts";
import { strictObject } from "../../validation.ts";
import { asked, bucketsIn, notAdministered, scopeFor } from "../administered.ts";
import { limitBody, noQuery, readJson, readJsonIfAny, valid } from "../body.ts";
import { keyPart, pageLimit } from "../paging.ts";

/** Errors in the answer itself; all of them are at …/errors. */
const FIRST_ERRORS = 100;
const LIMIT = 100;

export const startSchema = v.strictObject({
  bucket: v.string(),
  prefix: v.optional(keyPart, ""),
  from: v.optional(keyId),
  to: v.optional(keyId),
  dryRun: v.optional(v.boolean(), false),
  encryptPlain: v.optional(v.boolean(), false),
  versions: v.optional(v.boolean(), false),
  removeVersions: v.optional(v.boolean(), false),
});

export const listSchema = v.strictObject({
  bucket: v.optional(v.string()),
  cursor: v.optional(v.pipe(v.string(), v.uuid("must be the cursor of an answer"))),
  limit: pageLimit(LIMIT),
});

/** It goes on as it was begun. */
const nothing = strictObject({});

export const errorsSchema = v.strictObject({ cursor: v.optional(v.string()), limit: pageLimit(LIMIT) });

export const rotationsRoutes = new Hono<AppEnv>()
  .post("/", limitBody, (c: Asked<{ json: v.InferInput<typeof startSchema> }>) => start(c))
  .get("/", (c: Asked<{ query?: v.InferInput<typeof listSchema> }>) => list(c))
  .get("/:id", noQuery, async (c) => {
    const { rotations, rotation } = await found(c);
    // Whatever was lost goes on as soon as somebody asks.
    await asked(c, () => rotations.engine.sweep(rotation));
    return c.json(await reported(c, rotations, rotation.id));
  })
  .get("/:id/errors", async (c: Asked<{ query?: v.InferInput<typeof errorsSchema> }>) => {
    const { cursor, limit } = valid(errorsSchema, c.req.query());
    const { rotations, rotation } = await found(c);
    const errors = await asked(c, () => rotations.ledger.failures(rotation.id, limit, cursor));
    const last = errors.length === limit ? errors.at(-1) : undefined;
    return c.json({ errors, ...(last && { cursor: last.key }) });
  })
  .post("/:id/resume", noQuery, limitBody, async (c) => {
    valid(nothing, await readJsonIfAny(c));
    return change(c, "ResumeRotation", ({ rotations, rotation }) => rotations.engine.resume(rotation));
  })
  .delete("/:id", noQuery, (c) =>
    change(c, "CancelRotation", async ({ rotations, rotation }) => {
      if (rotation.state === "cancelled" || (await rotations.engine.cancel(rotation))) return;
      throw new Refused("conflict", "The rotation is over already.");
    }),
  );

async function start(c: AppContext) {
  const { service, caller } = c.var;
  const input = await readJson(c);
  const read = () => {
    const request = valid(startSchema, input);
    return { ...request, key: request.prefix };
  };
  const plan = { operation: "StartRotation", permission: "admin", read } as const;
  return operate(c.var, plan, async ({ request, bucket, draft }) => {
    const { prefix, dryRun, encryptPlain, versions, removeVersions } = request;
    if (removeVersions && !versions)
      throw Refused.field("removeVersions", "is about what was copied: it needs versions");
    // It is about many objects, and uses no key yet.
    draft.key = undefined;
    const { from, to } = directionOf(bucket, request);
    draft.keyId = to.id;
    const rotations = rotationsOf(service);
    const { id } = await asked(c, () =>
      rotations.engine
        .start({
          bucket,
          prefix,
          from,
          to,
          dryRun,
          encryptPlain,
          versions,
          removeVersions,
          caller: caller.name,
        })
        .catch((error: unknown) => {
          throw error instanceof CustomerKeyError ? unusable(error) : error;
        }),
    );
    return c.json(await reported(c, rotations, id), 202);
  });
}

async function list(c: AppContext) {
  const { bucket, cursor, limit } = valid(listSchema, c.req.query());
  const scope = scopeFor(c);
  const administered = bucketsIn(scope);
  if (bucket !== undefined && !administered.includes(bucket)) throw notAdministered();
  const { ledger } = rotationsOf(c.var.service);
  const rows = await asked(c, () =>
    ledger.list(bucket === undefined ? administered : [bucket], limit, cursor),
  );
  const visible = rows.filter((row) => isVisible(row, scope));
  const rotations = await asked(c, () =>
    Promise.all(visible.map(async (row) => reportOf(row, await ledger.counts(row.id)))),
  );
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return c.json({ rotations, ...(last && { cursor: last.id }) });
}

function change(
  c: AppContext,
  operation: string,
  work: (found: { rotations: Rotations; rotation: Rotation }) => Promise<void>,
) {
  return c.var.trail.record(async (draft) => {
    draft.operation = operation;
    const { rotations, rotation } = await found(c);
    Object.assign(draft, { bucket: rotation.bucket, keyId: rotation.toKey });
    await asked(c, () => work({ rotations, rotation }));
    return c.json(await reported(c, rotations, rotation.id));
  });
}

/** The rotation of the address. What the caller does not administer is as if it was not there. */
async function found(c: AppContext): Promise<{ rotations: Rotations; rotation: Rotation }> {
  const scope = scopeFor(c);
  const rotations = rotationsOf(c.var.service);
  const rotation = await asked(c, () => rotations.ledger.find(c.req.param("id") ?? ""));
  if (rotation !== undefined && isVisible(rotation, scope)) return { rotations, rotation };
  throw new Refused("not-found", "There is no such rotation.");
}

async function reported(c: AppContext, { ledger }: Rotations, id: string): Promise<RotationReport> {
  return asked(c, async () => {
    const [rotation, counts, errors] = await Promise.all([
      ledger.find(id),
      ledger.counts(id),
      ledger.failures(id, FIRST_ERRORS),
    ]);
    if (rotation === undefined) throw new Refused("not-found", "There is no such rotation.");
    return reportOf(rotation, counts, errors);
  });
}

function isVisible({ bucket, prefix }: Rotation, { ranges }: Scope): boolean {
  return ranges.some((range) => range.bucket === bucket && prefix.startsWith(range.prefix));
}

function unusable(target: CustomerKeyError): Refused {
  return new Refused("key-invalid", "The customer key cannot be used; the service's operator can see why.", {
    operator: `a rotation's target: ${target.message}`,
  });
}
