/** GET /v1/keys: which keys there are and in what state; never a key. */

import { Hono } from "hono";
import type { Caller } from "../../auth/callers.ts";
import type { Bucket } from "../../config/load.ts";
import { type KeyReport, reportOf } from "../../keys/report.ts";
import type { KeyRule } from "../../keys/ring.ts";
import { describeUnforeseen, logError } from "../../log.ts";
import { Refused } from "../../refused.ts";
import { Ledger } from "../../rotation/ledger.ts";
import { lastScan, type NeededBy, neededBy, type Scan } from "../../rotation/needed.ts";
import type { Service } from "../../service.ts";
import type { AppEnv } from "../context.ts";

interface ReportedKey extends KeyReport {
  /** By the last scan of all of its buckets, once there was one. */
  readonly neededBy?: NeededBy;
}

export const keysRoutes = new Hono<AppEnv>().get("/", async (c) =>
  c.json({ keys: await keysFor(c.var.caller, c.var.service) }),
);

/** The keys of the buckets that the caller administers, and those that no bucket uses. */
async function keysFor(caller: Caller, service: Service): Promise<ReportedKey[]> {
  const administered = new Set(
    caller.grants.filter(({ allow }) => allow.includes("admin")).map(({ bucket }) => bucket),
  );
  if (administered.size === 0) throw new Refused("forbidden", "The caller has no admin grant.");
  const { keys, buckets } = service.config;
  const users = (rule: KeyRule) => [...buckets.values()].filter((bucket) => bucket.keys.includes(rule));
  const visible = [...keys.values()].filter((rule) => {
    const names = users(rule).map(({ name }) => name);
    return names.length === 0 || names.some((name) => administered.has(name));
  });
  const scans = await scansOf(
    [...buckets.values()].filter(({ name }) => administered.has(name)),
    service,
  );
  return Promise.all(
    visible.map(async (rule) => {
      const names = users(rule).map(({ name }) => name);
      const report = await reportOf(
        rule,
        names.filter((name) => administered.has(name)),
        service.ring,
      );
      const needed = neededBy(
        rule,
        names.map((name) => scans.get(name)),
      );
      return { ...report, ...(needed && { neededBy: needed }) };
    }),
  );
}

/** Without a database that answers, nobody knows. */
async function scansOf(
  buckets: readonly Bucket[],
  { bindings: { db } }: Service,
): Promise<Map<string, Scan>> {
  const scans = new Map<string, Scan>();
  if (db === undefined) return scans;
  try {
    const ledger = new Ledger(db);
    for (const bucket of buckets) {
      const scan = await lastScan(ledger, bucket);
      if (scan !== undefined) scans.set(bucket.name, scan);
    }
  } catch (error) {
    logError({ code: "unavailable", message: `DB: ${describeUnforeseen(error).message}` });
    scans.clear();
  }
  return scans;
}
