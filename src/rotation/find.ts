/** Under which key an object lies, by asking the store: a HEAD a key, that of the object's neighbours first. */

import { type CustomerKey, CustomerKeyError } from "../keys/customer-key.ts";
import { ALGORITHM_HEADER } from "../keys/headers.ts";
import { PLAIN } from "../keys/no-key.ts";
import { type KeyRule, readers } from "../keys/ring.ts";
import { Refused } from "../refused.ts";
import { faultBesideKey } from "../s3/store/silent-refusal.ts";
import { headObject, headOf } from "../s3/store/stored.ts";
import { timeLimitsOf } from "../s3/store/time-limits.ts";
import type { Job } from "./job.ts";
import type { Ways } from "./state.ts";

export type Found =
  | { readonly kind: "under"; readonly key: CustomerKey; readonly head: Head }
  | { readonly kind: "plain"; readonly head: Head }
  /** `unusable`: the id of a key that could not be tried. */
  | { readonly kind: "unknown"; readonly unusable: string | undefined }
  | { readonly kind: "gone" };

/** What has to be given to read it: its key, or nothing where it lies in the clear. */
export type Source = CustomerKey | undefined;

/** What it is counted under. */
export function nameOf(source: Source): string {
  return source?.id ?? PLAIN;
}

export interface Head {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly headers: Headers;
}

/** Whether a segment of its path is one that HTTP clients take out: what is asked for is another object then. */
export function isUnreachable(key: string, { takesDots = false }: Ways): boolean {
  return !takesDots && /(^|\/)\.\.?(\/|$)/.test(key);
}

/**
 * @param hint the id of the key that is tried first
 * @throws {Refused} store-error, store-timeout and their kin
 */
export async function find(job: Job, key: string, hint: string, versionId?: string): Promise<Found> {
  const { bucket, store } = job;
  const object = { bucket, key, versionId };
  const own = await keyOf(job, job.target, key);
  const tried: CustomerKey[] = [];
  let unusable = job.missing;
  try {
    for (const rule of candidates(job, hint)) {
      const candidate = await keyOf(job, rule, key);
      if (candidate instanceof CustomerKeyError) {
        unusable ??= rule.id;
        continue;
      }
      if (tried.some(({ md5 }) => md5 === candidate.md5)) continue;
      tried.push(candidate);
      const head = await headObject(object, candidate, store.credentials, store.transport);
      if (head === undefined) continue;
      const found = { ...head.stored, headers: head.headers };
      // A store that gives it to any key at all has it in the clear.
      if (!head.headers.has(ALGORITHM_HEADER)) return { kind: "plain", head: found };
      // One secret under two names is one key: the target's.
      const isOwn = !(own instanceof CustomerKeyError) && own.md5 === candidate.md5;
      return { kind: "under", key: isOwn ? own : candidate, head: found };
    }
    const plain = await headObject(object, undefined, store.credentials, store.transport);
    if (plain !== undefined) return { kind: "plain", head: { ...plain.stored, headers: plain.headers } };
    // To credentials that have expired a store may say 400 as well, and a HEAD has no words.
    const fault = await faultBesideKey(headOf(object, undefined), {
      credentials: store.credentials,
      transport: store.transport,
      timeLimit: timeLimitsOf(bucket.store).lookUp,
    });
    if (fault !== undefined) throw fault;
    return { kind: "unknown", unusable };
  } catch (error) {
    if (error instanceof Refused && error.reason === "not-found") return { kind: "gone" };
    throw error;
  }
}

function candidates({ bucket, target }: Job, hint: string): KeyRule[] {
  const all = [target, ...readers(bucket.keys, Date.now()).filter((rule) => rule !== target)];
  const likeliest = all.find(({ id }) => id === hint) ?? target;
  return [likeliest, ...all.filter((rule) => rule !== likeliest)];
}

/** @returns why it cannot be used, where it cannot */
export async function keyOf(
  { ring, bucket: { storeBucket } }: Job,
  rule: KeyRule,
  key: string,
): Promise<CustomerKey | CustomerKeyError> {
  try {
    return await ring.keyFor(rule, { storeBucket, key });
  } catch (error) {
    if (error instanceof CustomerKeyError) return error;
    throw error;
  }
}
