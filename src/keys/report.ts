/** What an admin is told of a key; never the key. */
import { CustomerKeyError } from "./customer-key.ts";
import { type KeyRing, type KeyRule, type KeyState, keyState } from "./ring.ts";

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

/**
 * A key's state now, and what is wrong with it where it cannot be used.
 *
 * @param buckets the names that whoever asks may hear of
 */
export async function reportOf(rule: KeyRule, buckets: readonly string[], ring: KeyRing): Promise<KeyReport> {
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
