/** GET /v1/keys: which keys there are, in what state, and what still needs them; never a key. */

import { Hono } from "hono";
import type { Scope } from "../../audit/scope.ts";
import type { Bucket } from "../../config/load.ts";
import type { AppEnv } from "../../front/context.ts";
import { reportOf } from "../../keys/report.ts";
import type { KeyRule } from "../../keys/ring.ts";
import { describeUnforeseen, logError } from "../../log.ts";
import { Ledger } from "../../rotation/ledger.ts";
import { type Known, knownOf, type NeededBy, neededBy, type ReportedKey } from "../../rotation/needed.ts";
import { uploadLives } from "../../rotation/written.ts";
import type { Service } from "../../service.ts";
import { bucketsIn, scopeFor } from "../administered.ts";
import { noQuery } from "../body.ts";

export const keysRoutes = new Hono<AppEnv>().get("/", noQuery, async (c) =>
  c.json({ keys: await keysIn(scopeFor(c), c.var.service) }),
);

/** The keys of the buckets that the caller administers, and those that no bucket uses. */
async function keysIn(scope: Scope, service: Service): Promise<ReportedKey[]> {
  const administered = bucketsIn(scope);
  const { keys, buckets } = service.config;
  const users = (rule: KeyRule) => [...buckets.values()].filter((bucket) => bucket.keys.includes(rule));
  const seen = (rule: KeyRule) => users(rule).filter(({ name }) => administered.includes(name));
  const visible = [...keys.values()].filter((rule) => users(rule).length === 0 || seen(rule).length > 0);
  const needed = await needs(
    visible.map((rule) => ({ rule, buckets: seen(rule), areAll: seen(rule).length === users(rule).length })),
    service,
  );
  return Promise.all(
    visible.map(async (rule) => {
      const its = needed.get(rule);
      return { ...(await reportOf(rule, seen(rule), service.ring)), ...(its && { neededBy: its }) };
    }),
  );
}

interface Asked {
  readonly rule: KeyRule;
  readonly buckets: readonly Bucket[];
  readonly areAll: boolean;
}

/** Without a database that answers, nobody knows. */
async function needs(
  asked: readonly Asked[],
  { bindings: { db, queue }, config }: Service,
): Promise<ReadonlyMap<KeyRule, NeededBy>> {
  const needed = new Map<KeyRule, NeededBy>();
  if (db === undefined) return needed;
  const trail = { db: queue && db, uploadLives: uploadLives(config) };
  try {
    const ledger = new Ledger(db);
    const known = new Map<Bucket, Known>();
    for (const bucket of new Set(asked.flatMap(({ buckets }) => buckets)))
      known.set(bucket, await knownOf(ledger, bucket));
    for (const { rule, buckets, areAll } of asked) {
      const its = buckets.flatMap((bucket) => known.get(bucket) ?? []);
      const answer = await neededBy(rule, its, { areAll, trail });
      if (answer !== undefined) needed.set(rule, answer);
    }
    return needed;
  } catch (error) {
    logError({ code: "unavailable", message: `DB: ${describeUnforeseen(error).message}` });
    return new Map();
  }
}
