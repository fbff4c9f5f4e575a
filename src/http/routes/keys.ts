/** GET /v1/keys: which keys there are and in what state; never a key. */
import { Hono } from "hono";
import type { Caller } from "../../auth/callers.ts";
import { CustomerKeyError } from "../../keys/customer-key.ts";
import { type KeyRule, type KeyState, keyState } from "../../keys/ring.ts";
import { Problem } from "../../problem.ts";
import type { Service } from "../../service.ts";
import type { AppEnv } from "../context.ts";

/** A key as an admin sees it; times are ISO 8601. */
export interface KeyReport {
  readonly id: string;
  readonly buckets: readonly string[];
  readonly mode: "shared" | "derived";
  readonly state: KeyState | "invalid";
  readonly reason?: string;
  readonly md5?: string;
  readonly notBefore?: string;
  readonly writeUntil?: string;
}

export const keysRoutes = new Hono<AppEnv>().get("/", async (c) =>
  c.json({ keys: await keysFor(c.var.caller, c.var.service) }),
);

/** The keys of the buckets that the caller administers, and those that no bucket uses. */
async function keysFor(caller: Caller, service: Service): Promise<KeyReport[]> {
  const administered = new Set(
    caller.grants.filter(({ allow }) => allow.includes("admin")).map(({ bucket }) => bucket),
  );
  if (administered.size === 0) throw new Problem("forbidden", "The caller has no admin grant.");
  const { keys, buckets } = service.config;
  const users = (rule: KeyRule) => [...buckets.values()].filter((bucket) => bucket.keys.includes(rule));
  const visible = [...keys.values()].filter((rule) => {
    const names = users(rule).map(({ name }) => name);
    return names.length === 0 || names.some((name) => administered.has(name));
  });
  return Promise.all(
    visible.map((rule) => {
      const names = users(rule).map(({ name }) => name);
      return describe(
        rule,
        names.filter((name) => administered.has(name)),
        service,
      );
    }),
  );
}

async function describe(rule: KeyRule, buckets: readonly string[], { ring }: Service): Promise<KeyReport> {
  const { id, derive, notBefore, writeUntil } = rule;
  const usable = await ring.md5(rule).then(
    (md5) => ({ state: keyState(rule, Date.now()), ...(md5 !== undefined && { md5 }) }),
    (error: unknown) => {
      if (!(error instanceof CustomerKeyError)) throw error;
      return { state: "invalid" as const, reason: error.message };
    },
  );
  return {
    id,
    buckets,
    mode: derive ? "derived" : "shared",
    ...usable,
    ...(notBefore !== undefined && { notBefore: new Date(notBefore).toISOString() }),
    ...(writeUntil !== undefined && { writeUntil: new Date(writeUntil).toISOString() }),
  };
}
