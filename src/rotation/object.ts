/**
 * One object: found, re-encrypted where it has to be, and proved to be so. What a writer has replaced meanwhile is never
 * overwritten; it is looked at again.
 */

import { type CustomerKey, CustomerKeyError } from "../keys/customer-key.ts";
import { customerKeyHeaders } from "../keys/headers.ts";
import { PLAIN, UNKNOWN } from "../keys/no-key.ts";
import { Refused } from "../refused.ts";
import { grantHeaders } from "../s3/store/grants.ts";
import { headObject, isUnderKey } from "../s3/store/stored.ts";
import { readTags, TAG_COUNT_HEADER, writeTags } from "../s3/store/tagging.ts";
import { bare, ifMatch } from "./conditions.ts";
import { copyInPlace } from "./copy.ts";
import { type Found, find, type Head, isUnreachable, keyOf, nameOf, type Source } from "./find.ts";
import type { Job } from "./job.ts";
import { content, lost, placement, tagCount, unspeakable, VERSION_OF } from "./kept.ts";
import { backoff, sleep } from "./pace.ts";
import { GaveUp, isBusy, isPassing, patiently } from "./patience.ts";
import { demandUnchanged, drop, open, send } from "./through.ts";

/** How often an object is looked at again that others replace, or that a store does not re-encrypt. */
const MAX_LOOKS = 8;

/** And how often a store denies to copy it: the key that it was to be read with may be another writer's by then. */
const MAX_DENIALS = 3;

function isDenied({ storeCode }: Refused): boolean {
  return storeCode === "AccessDenied";
}

/** What became of an object. */
export interface Outcome {
  readonly result: "rotated" | "skipped" | "failed" | "large";
  /** Under which key it was found, or plain, or unknown; undefined where that was not to be seen, or it has gone. */
  readonly found?: string;
  /** And under which it lies now. */
  readonly left?: string;
  /** Of what was re-encrypted, bytes. */
  readonly bytes: number;
  readonly failure?: { readonly code: string; readonly detail: string };
}

/** @throws {GaveUp} */
export async function rotateObject(
  job: Job,
  { key, size }: { readonly key: string; readonly size: number },
  hint: string,
): Promise<Outcome> {
  if (isUnreachable(key, job.ways)) {
    return failed(
      "invalid-request",
      'Its key has "." or ".." as a segment, which the Worker cannot send: rotate with --local, or copy it to another key and remove it by DeleteObjects.',
    );
  }
  /** What it lay under when it was last written here. */
  let tried: { readonly from: Source } | undefined;
  let first: string | undefined;
  let failures = 0;
  for (let look = 1; ; ) {
    try {
      const sought = () => asked(job, () => find(job, key, tried?.from?.id ?? hint));
      let found = await sought();
      // A writer may have put it from a key that was not tried yet under one that was.
      if (found.kind === "unknown") found = await sought();
      first ??= firstOf(found);
      const settled = await settle(job, key, found, tried, first);
      if (settled !== undefined) return settled;
      if (found.kind !== "under" && found.kind !== "plain")
        throw new Error("an object that cannot be read was not settled");
      const from: Source = found.kind === "under" ? found.key : undefined;
      if (isLarge(job, Math.max(size, found.head.size)))
        return { result: "large", found: nameOf(from), bytes: 0 };
      if (look++ > MAX_LOOKS) return { ...restless(tried?.from, from), found: first ?? nameOf(from) };
      const target = await targetOf(job, key);
      tried = { from };
      const written = await reencrypt(job, key, from, target, found.head);
      const claim = { from, to: target, before: found.head, written };
      const outcome = await confirm(job, key, claim);
      if (outcome !== undefined) return { ...outcome, found: first ?? nameOf(from) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (["precondition-failed", "conflict", "not-found"].includes(error.reason)) {
        if (look > MAX_LOOKS) return { ...failed(error.reason, error.message), ...seen(first) };
      } else if (isPassing(error)) {
        if (isBusy(error)) job.pace.slower();
        if (++failures >= job.limits.attempts) throw new GaveUp(error);
      } else if (!isDenied(error) || ++failures > MAX_DENIALS)
        return { ...failed(error.reason, error.message), ...seen(first) };
      await sleep(backoff(Math.max(failures, 1), job.limits.backoff));
    }
  }
}

/** Where nothing has to be written, what becomes of the object. */
async function settle(
  job: Job,
  key: string,
  found: Found,
  tried: { readonly from: Source } | undefined,
  first: string | undefined,
): Promise<Outcome | undefined> {
  switch (found.kind) {
    case "gone":
      return {
        result: tried ? "rotated" : "skipped",
        bytes: 0,
        ...(first !== undefined && { found: first }),
      };
    case "plain":
      if (job.encryptPlain)
        return job.dryRun ? { result: "skipped", found: PLAIN, left: PLAIN, bytes: 0 } : undefined;
      return {
        ...failed("not-encrypted", "It was stored without a customer key."),
        found: PLAIN,
        left: PLAIN,
      };
    case "unknown":
      return found.unusable === undefined
        ? {
            ...failed("key-unknown", "It is under none of the bucket's keys."),
            found: UNKNOWN,
            left: UNKNOWN,
          }
        : failed("key-invalid", `It may be under the key "${found.unusable}", which cannot be used.`);
  }
  const { id } = found.key;
  if (id === job.target.id) {
    if (tried === undefined) return { result: "skipped", found: id, left: id, bytes: 0 };
    // What was written before its answer was lost.
    const target = await targetOf(job, key);
    const outcome = await confirm(job, key, {
      from: tried.from,
      to: target,
      before: found.head,
      written: undefined,
    });
    return outcome && { ...outcome, found: first ?? nameOf(tried.from) };
  }
  const isWanted = !job.dryRun && (job.from === undefined || job.from === id);
  return isWanted ? undefined : { result: "skipped", found: first ?? id, left: id, bytes: 0 };
}

/** Undefined where it cannot be seen: gone, or under a key that nobody has. */
function firstOf(found: Found): string | undefined {
  if (found.kind === "under") return found.key.id;
  return found.kind === "plain" ? PLAIN : undefined;
}

export function isLarge({ ways, limits }: Job, size: number): boolean {
  return size > (ways.copies ? limits.maxCopy : limits.maxWhole);
}

async function reencrypt(job: Job, key: string, from: Source, to: CustomerKey, head: Head): Promise<Written> {
  const { store, ways, pipe } = job;
  const { etag, size, headers } = head;
  const placed = await placementOf(job, key, headers);
  if (ways.copies) {
    const mark = markOf(job, headers);
    const given =
      Object.keys(mark).length === 0 ? placed : { ...remade(headers), ...mark, ...placed, ...REPLACE };
    const copied = await copyInPlace(store, { key, from, to, etag, headers: given }, ways);
    if (copied !== undefined) return copied;
    // It may have been refused for a key that a writer has changed: what cannot be kept would be another's.
    await demandUnchanged(store, { key, from, etag });
    if (size > job.limits.maxWhole) throw new Refused("store-error", "The store does not copy this object.");
  }
  const whole = await wholeHeaders(job, key, headers, placed);
  const isLocked = Object.keys(placed).some((name) => name.startsWith("x-amz-object-lock-"));
  const isEncoded = headers.has("content-encoding");
  const body = await open(store, { key, from, etag, length: size, isEncoded, isHeld: isLocked }, pipe);
  // Where a store holds no condition when it is given an object, this is all that there is.
  if (ways.ifMatchOfPut === undefined)
    await demandUnchanged(store, { key, from, etag }).catch(async (error: unknown) => {
      await drop(body);
      throw error;
    });
  const answer = await send(
    store,
    { key, query: { "x-id": "PutObject" } },
    { ...whole, ...ifMatch(ways.ifMatchOfPut, etag), ...customerKeyHeaders(to) },
    body,
  );
  const tagging = whole["x-amz-tagging"];
  return { etag: answer.get("etag") ?? "", ...(tagging !== undefined && { tagging }) };
}

/** What a copy does not keep by itself: class, redirect, lock and list. */
export async function placementOf(
  { store, ways }: Job,
  key: string,
  head: Headers,
  versionId?: string,
): Promise<Record<string, string>> {
  return { ...placement(head, Date.now()), ...(ways.hasAcls && (await grantHeaders(store, key, versionId))) };
}

/** All that an object has beside its bytes. @throws {Refused} conflict when it cannot be given again */
export async function wholeHeaders(
  job: Job,
  key: string,
  head: Headers,
  placed: Readonly<Record<string, string>>,
  versionId?: string,
): Promise<Record<string, string>> {
  const kept = remade(head);
  const tagging = tagCount(head) > 0 ? await readTags(job.store, key, versionId) : "";
  return { ...kept, ...markOf(job, head), ...placed, ...(tagging !== "" && { "x-amz-tagging": tagging }) };
}

const REPLACE = { "x-amz-metadata-directive": "REPLACE" };

/** Content headers and metadata, to be given anew. @throws {Refused} invalid-request when they cannot be */
function remade(head: Headers): Record<string, string> {
  const fault = unspeakable(head);
  if (fault === undefined) return content(head);
  throw new Refused("invalid-request", `${fault}: the store itself would have to copy it.`);
}

/** Where versions are rotated: of which version the new one is a copy, so that it need not be copied as an older one. */
function markOf({ versions, ways }: Job, head: Headers): Record<string, string> {
  const versionId = head.get("x-amz-version-id");
  return versions && ways.keepsVersions && versionId !== null ? { [VERSION_OF]: versionId } : {};
}

/** What the store said of it when it had written it. */
export interface Written {
  readonly etag: string;
  /** The tags that it was given, where it was given them. */
  readonly tagging?: string;
}

export interface Claim {
  readonly from: Source;
  readonly to: CustomerKey;
  /** As it was. */
  readonly before: Head;
  /** Undefined where its answer was lost. */
  readonly written: Written | undefined;
}

/**
 * Holds the store to its word: the object opens under the new key, and does not under the old one.
 *
 * @returns undefined where it has to be looked at again
 */
export async function confirm(
  job: Job,
  key: string,
  { from, to, before, written }: Claim,
): Promise<Outcome | undefined> {
  const { bucket, store } = job;
  const look = (under: Source) =>
    asked(job, () => headObject({ bucket, key }, under, store.credentials, store.transport));
  // Both at once: which of the two is first says nothing.
  const [now, stillOpen] = await Promise.all([look(to), from?.md5 === to.md5 ? undefined : look(from)]);
  if (now === undefined || !isUnderKey(now.headers, to) || stillOpen !== undefined) return undefined;
  const rotated: Outcome = { result: "rotated", left: to.id, bytes: before.size };
  // Somebody has replaced it since: what it is like is theirs to say.
  if (written === undefined || bare(now.stored.etag) !== bare(written.etag)) return rotated;
  const missing = lost(before.headers, now.headers, Date.now());
  const isUntagged = missing.includes(TAG_COUNT_HEADER);
  // Some stores lose those of what is made of parts.
  if (isUntagged && written.tagging !== undefined) {
    const { tagging } = written;
    await asked(job, () => writeTags(store, key, tagging));
    const again = await look(to);
    if (again && tagCount(again.headers) === tagCount(before.headers))
      missing.splice(missing.indexOf(TAG_COUNT_HEADER), 1);
  }
  if (now.stored.size !== before.size) missing.push(`its length (${before.size} bytes)`);
  if (missing.length === 0) return rotated;
  return {
    ...failed("conflict", `It is re-encrypted, but the store has not kept ${missing.join(", ")}.`),
    left: to.id,
  };
}

/** A question, which changes nothing and can be asked again. */
function asked<T>(job: Job, question: () => Promise<T>): Promise<T> {
  return patiently(job.limits, question, () => job.pace.slower());
}

export async function targetOf(job: Job, key: string): Promise<CustomerKey> {
  const target = await keyOf(job, job.target, key);
  if (target instanceof CustomerKeyError)
    throw new Refused("key-invalid", "The target key cannot be used any more.");
  return target;
}

export function failed(code: string, detail: string): Outcome {
  return { result: "failed", bytes: 0, failure: { code, detail } };
}

function seen(first: string | undefined) {
  return first === undefined ? {} : { found: first, left: first };
}

function restless(tried: Source, from: Source): Outcome {
  const isSame = tried?.id === from?.id;
  const how = from === undefined ? "without a key" : `under "${from.id}"`;
  const detail = isSame
    ? `It was re-encrypted again and again, and still opens ${how}: the store does not do as it says, or somebody writes it so all the time.`
    : "It was replaced again and again while it was re-encrypted.";
  return { ...failed(isSame ? "store-error" : "conflict", detail), left: nameOf(from) };
}
