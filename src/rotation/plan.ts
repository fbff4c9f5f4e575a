/** From which key to which: what is asked for, held against the bucket's keys and their dates. */
import type { Bucket } from "../config/load.ts";
import { type KeyRule, keyState, writer } from "../keys/ring.ts";
import { Refused } from "../refused.ts";

export interface Direction {
  /** Undefined: every other key. */
  readonly from: KeyRule | undefined;
  readonly to: KeyRule;
}

/**
 * @param wanted ids; without `to` it is the key that writes now
 * @throws {Refused} no-writable-key; invalid-request, by field
 */
export function directionOf(
  bucket: Bucket,
  wanted: { readonly from?: string | undefined; readonly to?: string | undefined },
): Direction {
  const to = targetOf(bucket, wanted.to);
  const from = wanted.from === undefined ? undefined : named(bucket, wanted.from, "from");
  if (from === to) throw Refused.field("from", "is the key that is rotated to");
  return { from, to };
}

/** The key that writes now, or another that may. */
function targetOf(bucket: Bucket, to: string | undefined): KeyRule {
  const now = Date.now();
  if (to === undefined) {
    const rule = writer(bucket.keys, now);
    if (rule !== undefined) return rule;
    throw new Refused(
      "no-writable-key",
      "None of this bucket's keys may write now: their dates do not allow it.",
    );
  }
  const rule = named(bucket, to, "to");
  if (keyState(rule, now) === "active") return rule;
  throw Refused.field("to", "may not write now: its dates do not allow it");
}

function named({ keys }: Bucket, id: string, path: string): KeyRule {
  const rule = keys.find((one) => one.id === id);
  if (rule !== undefined) return rule;
  throw Refused.field(path, `is none of this bucket's keys (${keys.map((one) => one.id).join(", ")})`);
}
