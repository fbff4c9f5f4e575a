/** A large object, which is uploaded anew part by part; whoever is interrupted is gone on from by the next. */

import { type CustomerKey, CustomerKeyError } from "../keys/customer-key.ts";
import { PLAIN } from "../keys/no-key.ts";
import { Refused } from "../refused.ts";
import { headObject, isUnderKey } from "../s3/store/stored.ts";
import { find, type Head, keyOf, type Source } from "./find.ts";
import type { Job } from "./job.ts";
import { confirm, failed, isLarge, type Outcome, placementOf, rotateObject, wholeHeaders } from "./object.ts";
import { backoff, Pace, sleep } from "./pace.ts";
import { GaveUp, patiently } from "./patience.ts";
import type { LargeRow } from "./state.ts";
import { demandUnchanged } from "./through.ts";
import * as uploads from "./upload.ts";

/** Parts at once: each is in memory, or has two connections. */
export const CONCURRENCY = 3;
/** How often it is begun anew because others replace it. */
const MAX_STARTS = 5;

/** What the worker knows of its lease; each throws where that is lost, or the rotation is over. */
export interface Hands {
  /** Notes the upload that is under way, or that there is none. */
  readonly note: (upload: { uploadId: string | null; etag: string | null }) => Promise<void>;
  /** A part more has gone. */
  readonly partDone: () => Promise<void>;
  /** The last look at the lease before something is written that others see. */
  readonly alive: () => Promise<void>;
  readonly isTimeUp: () => boolean;
}

/**
 * @returns undefined where the time is up: it goes on from where it is
 * @throws {GaveUp} and whatever `hands` throw
 */
export async function rotateLarge(job: Job, row: LargeRow, hands: Hands): Promise<Outcome | undefined> {
  const { key } = row;
  let { uploadId, etag } = row;
  let mayBeComplete = uploadId !== null;
  for (let start = 1; start <= MAX_STARTS; start++) {
    const found = await patiently(job.limits, () => find(job, key, row.fromKey));
    if (found.kind === "under" && found.key.id === job.target.id && mayBeComplete) {
      // Completed already, by somebody who could not say so any more; or a writer has written it so, and the upload is open.
      if (uploadId !== null) await uploads.abort({ store: job.store, key }, uploadId);
      return (await confirmLost(job, row, found.head)) ?? restless(row);
    }
    const isToDo =
      found.kind === "plain" ? job.encryptPlain : found.kind === "under" && found.key.id !== job.target.id;
    if (!isToDo || !("head" in found) || !isLarge(job, found.head.size)) {
      if (uploadId !== null) await uploads.abort({ store: job.store, key }, uploadId);
      const outcome = await rotateObject(job, { key, size: 0 }, row.fromKey);
      if (outcome.result !== "large") return outcome;
      continue;
    }
    const { head } = found;
    const from: Source = found.kind === "under" ? found.key : undefined;
    const upload = uploadOf(job, key, from, await targetKey(job, key), head);
    if (uploadId !== null && (etag === null || uploads.isReplaced(etag, head.etag))) {
      await uploads.abort(upload, uploadId);
      uploadId = null;
    }
    try {
      const headers = await patiently(job.limits, async () =>
        wholeHeaders(job, key, head.headers, await placementOf(job, key, head.headers)),
      );
      if (uploadId === null) {
        const begun = await patiently(job.limits, () => uploads.begin(upload, headers));
        etag = head.etag;
        await hands.note({ uploadId: begun, etag }).catch(async (error: unknown) => {
          await uploads.abort(upload, begun);
          throw error;
        });
        uploadId = begun;
      }
      const parts = await putParts(job, upload, uploadId, hands);
      if (parts === undefined) return undefined;
      // Where a store holds no condition when it completes an upload, this is all that there is.
      await patiently(job.limits, () => demandUnchanged(job.store, upload));
      await hands.alive();
      const id = uploadId;
      mayBeComplete = true;
      await patiently(job.limits, () => uploads.complete(upload, id, parts));
      const done = await patiently(job.limits, () =>
        headObject({ bucket: job.bucket, key }, upload.to, job.store.credentials, job.store.transport),
      );
      const tagging = headers["x-amz-tagging"];
      const written = done && { etag: done.stored.etag, ...(tagging !== undefined && { tagging }) };
      const claim = { from, to: upload.to, before: head, written };
      const outcome = await confirm(job, key, claim);
      if (outcome !== undefined) return { ...outcome, found: row.fromKey };
      uploadId = null;
      await hands.note({ uploadId, etag: null });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (uploadId !== null) await uploads.abort(upload, uploadId);
      uploadId = null;
      // Not found: the upload is over, or the object has gone; the next look tells. Invalid, the first time: a part is not
      // the one that was named, as somebody who lost their lease wrote it once more.
      const others = error.reason === "invalid-request" && mayBeComplete && start === 1;
      if (!others && !["precondition-failed", "conflict", "not-found"].includes(error.reason))
        return { ...failed(error.reason, error.message), found: row.fromKey, left: row.fromKey };
      await hands.note({ uploadId, etag: null });
      await sleep(backoff(start, job.limits.backoff));
    }
  }
  return restless(row);
}

async function putParts(
  job: Job,
  upload: uploads.Upload,
  uploadId: string,
  hands: Hands,
): Promise<{ partNumber: number; etag: string }[] | undefined> {
  const there = await patiently(job.limits, () => uploads.partsOf(upload, uploadId));
  const parts = there.filter(({ partNumber, size }) => size === uploads.lengthOf(upload, partNumber));
  const missing = uploads.numbersOf(upload).filter((n) => !parts.some(({ partNumber }) => partNumber === n));
  const pace = new Pace(CONCURRENCY, CONCURRENCY);
  let failure: unknown;
  let isUp = false;
  const named: { partNumber: number; etag: string }[] = [...parts];
  await Promise.all(
    missing.map((number) =>
      pace.run(async () => {
        isUp ||= hands.isTimeUp();
        if (isUp || failure !== undefined) return;
        try {
          named.push(await patiently(job.limits, () => uploads.putPart(upload, uploadId, number)));
          await hands.partDone();
        } catch (error) {
          failure ??= error;
        }
      }),
    ),
  );
  if (failure !== undefined) throw failure;
  return named.length === uploads.numbersOf(upload).length ? named : undefined;
}

function uploadOf(job: Job, key: string, from: Source, to: CustomerKey, head: Head): uploads.Upload {
  const { store, ways, limits, pipe } = job;
  const { etag, size, headers } = head;
  return { store, key, from, to, etag, size, isEncoded: headers.has("content-encoding"), ways, limits, pipe };
}

/** It opens under the target: whether under nothing else. */
async function confirmLost(job: Job, row: LargeRow, head: Head): Promise<Outcome | undefined> {
  const rule = job.bucket.keys.find(({ id }) => id === row.fromKey);
  const to = await targetKey(job, row.key);
  // What lay in the clear has to be refused to whoever has no key; of a key that is not the bucket's any more nothing is known.
  const isPlain = row.fromKey === PLAIN;
  const from = rule === undefined ? (isPlain ? undefined : to) : await keyOf(job, rule, row.key);
  if (from instanceof CustomerKeyError || !isUnderKey(head.headers, to)) return undefined;
  const claim = { from, to, before: head, written: undefined };
  const outcome = await confirm(job, row.key, claim);
  return outcome && { ...outcome, found: row.fromKey };
}

async function targetKey(job: Job, key: string): Promise<CustomerKey> {
  const target = await keyOf(job, job.target, key);
  if (target instanceof CustomerKeyError)
    throw new GaveUp(new Refused("key-invalid", "The target key cannot be used any more."));
  return target;
}

function restless(row: LargeRow): Outcome {
  return {
    ...failed("conflict", "It was replaced again and again while it was re-encrypted."),
    found: row.fromKey,
    left: row.fromKey,
  };
}
