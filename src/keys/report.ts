/** What an admin is told of a key; never the key. */
import { CustomerKeyError } from "./customer-key.ts";
import { type KeyRing, type KeyRule, type KeyState, keyState, writer } from "./ring.ts";

/** A key as an admin sees it; times are ISO 8601. */
export interface KeyReport {
  readonly id: string;
  readonly buckets: readonly string[];
  /** Of these, where it is the key that new objects are written under now. */
  readonly writes: readonly string[];
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
 * @param buckets that have the key, and of which whoever asks may hear
 */
export async function reportOf(
  rule: KeyRule,
  buckets: readonly { readonly name: string; readonly keys: readonly KeyRule[] }[],
  ring: KeyRing,
): Promise<KeyReport> {
  const { id, derive, notBefore, writeUntil } = rule;
  const now = Date.now();
  const usable = await ring.md5(rule).then(
    (md5) => ({ state: keyState(rule, now), ...(md5 !== undefined && { md5 }) }),
    (error: unknown) => {
      if (!(error instanceof CustomerKeyError)) throw error;
      return { state: "invalid" as const, reason: error.message };
    },
  );
  return {
    id,
    buckets: buckets.map(({ name }) => name),
    writes: buckets.filter(({ keys }) => writer(keys, now) === rule).map(({ name }) => name),
    mode: derive ? "derived" : "shared",
    ...usable,
    ...(notBefore !== undefined && { notBefore: new Date(notBefore).toISOString() }),
    ...(writeUntil !== undefined && { writeUntil: new Date(writeUntil).toISOString() }),
  };
}
