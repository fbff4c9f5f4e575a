/** GET /v1/keys: which keys there are and in what state; never a key. */

import { Hono } from "hono";
import type { Caller } from "../../auth/callers.ts";
import { type KeyReport, reportOf } from "../../keys/report.ts";
import type { KeyRule } from "../../keys/ring.ts";
import { Refused } from "../../refused.ts";
import type { Service } from "../../service.ts";
import type { AppEnv } from "../context.ts";

export const keysRoutes = new Hono<AppEnv>().get("/", async (c) =>
  c.json({ keys: await keysFor(c.var.caller, c.var.service) }),
);

/** The keys of the buckets that the caller administers, and those that no bucket uses. */
async function keysFor(caller: Caller, service: Service): Promise<KeyReport[]> {
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
  return Promise.all(
    visible.map((rule) => {
      const names = users(rule).map(({ name }) => name);
      return reportOf(
        rule,
        names.filter((name) => administered.has(name)),
        service.ring,
      );
    }),
  );
}
