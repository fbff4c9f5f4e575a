/**
 * The older versions of one object, where a rotation is asked for them. S3 has no other way than to copy each onto a new
 * version, the oldest first, and at last what was current, so that it is current again. Each copy is conditional on the one
 * before it: what a writer writes meanwhile stays on top, and is what is current then.
 *
 * A copy says in its metadata what it is a copy of; and, until the last, what was current: whoever is interrupted is gone
 * on from by the next, by what the store alone tells.
 */
import type { CustomerKey } from "../keys/customer-key.ts";
import { customerKeyHeaders } from "../keys/headers.ts";
import { Refused } from "../refused.ts";
import { type ListedVersion, listVersions } from "../s3/store/list-versions.ts";
import { isUnderKey } from "../s3/store/stored.ts";
import { ifMatch } from "./conditions.ts";
import { copyInPlace } from "./copy.ts";
import { type Found, find, type Head, type Source } from "./find.ts";
import type { Job } from "./job.ts";
import { VERSION_OF, VERSION_THEN } from "./kept.ts";
import { confirm, placementOf, targetOf, type Written, wholeHeaders } from "./object.ts";
import { isPassing, patiently } from "./patience.ts";
import type { Failure } from "./state.ts";
import { open, send } from "./through.ts";

/** How often it is begun anew because others write. */
const MAX_LOOKS = 5;

/** Bytes that two versions are compared by at once: both are in memory. */
const COMPARED = 8 * 2 ** 20;

/** What has become of an object's older versions. */
export interface HistoryEnd {
  readonly copied: number;
  readonly removed: number;
  readonly failures: readonly Failure[];
  /** What each of those lies under that are there now. */
  readonly older: readonly Found[];
}

/** A version that is there, and what is known of it. */
interface Seen {
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly found: Found;
  /** The version that it is a copy of. */
  readonly of: string | undefined;
  /** The version that was current when this rotation made the copy. */
  readonly wasCurrent: string | undefined;
}

/** One that can be read. */
type Readable = Seen & { readonly head: Head; readonly source: Source };

/** @throws {GaveUp} */
export async function rotateHistory(
  job: Job,
  key: string,
  listed: readonly ListedVersion[],
  hint: string,
): Promise<HistoryEnd> {
  const failures = new Map<string, Failure>();
  const fail = (versionId: string, code: string, detail: string) =>
    void failures.set(versionId, { key, code, detail: `Version ${versionId}: ${detail}` });
  let copied = 0;
  let seen = await look(job, key, listed, hint);
  for (let looks = 1; !job.dryRun; looks++) {
    const { todo, top, latest } = planOf(job, seen, failures);
    if (todo.length === 0 && (top === undefined || top === latest)) break;
    const fault = whyNot(job, latest);
    if (fault !== undefined || latest === undefined || top === undefined || looks > MAX_LOOKS) {
      const [code, detail] = fault ?? ["conflict", "the object was replaced again and again meanwhile."];
      for (const { versionId } of todo) fail(versionId, code, detail);
      break;
    }
    try {
      let { etag } = latest.head;
      for (const version of todo) {
        const mark = { [VERSION_THEN]: `${top.versionId} ${job.rotation}` };
        const next = await copyOnTop(job, key, version, etag, mark);
        if ("code" in next) fail(version.versionId, next.code, next.detail);
        else {
          etag = next.etag;
          copied++;
        }
      }
      if (etag !== latest.head.etag || top !== latest) {
        const last = await copyOnTop(job, key, top, etag, {});
        if ("code" in last) {
          const detail = `it was current, and could not be made so again: ${last.detail}`;
          fail(top.versionId, last.code, detail);
          break;
        }
      }
    } catch (error) {
      // Somebody has written: whatever that is, is current now.
      if (!(error instanceof Refused)) throw error;
    }
    seen = await look(job, key, await versionsOf(job, key), hint);
  }
  const removed = new Set<string>();
  if (job.removeVersions && !job.dryRun) {
    const target = await targetOf(job, key);
    for (const version of seen.filter((one) => !one.isLatest && isOld(job, one))) {
      const copy = copyOf(job, version, seen);
      if (copy === undefined) continue;
      if (!(await isProven(job, key, version, copy, target))) {
        const what = `version ${copy.versionId} says that it is its copy, and is not, or holds other bytes`;
        fail(version.versionId, "conflict", `it is not removed: ${what}.`);
        continue;
      }
      const refusal = await remove(job, key, version.versionId);
      if (refusal === undefined) removed.add(version.versionId);
      else fail(version.versionId, "conflict", `it has a copy, but cannot be removed: ${refusal}`);
    }
  }
  const older = seen.filter(({ isLatest, versionId }) => !isLatest && !removed.has(versionId));
  return {
    copied,
    removed: removed.size,
    failures: [...failures.values()],
    older: older.map(({ found }) => found),
  };
}

async function look(
  job: Job,
  key: string,
  listed: readonly ListedVersion[],
  hint: string,
): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  let likeliest = hint;
  for (const { versionId, isLatest } of listed) {
    const found = await patiently(job.limits, () => find(job, key, likeliest, versionId));
    if (found.kind === "gone") continue;
    if (found.kind === "under") likeliest = found.key.id;
    const headers = "head" in found ? found.head.headers : new Headers();
    const [current, rotation] = headers.get(VERSION_THEN)?.split(" ") ?? [];
    seen.push({
      versionId,
      isLatest,
      found,
      of: headers.get(VERSION_OF) ?? undefined,
      // Whoever has copied such a version since means what they do.
      wasCurrent: rotation === job.rotation ? current : undefined,
    });
  }
  return seen;
}

async function versionsOf({ store, limits }: Job, key: string): Promise<readonly ListedVersion[]> {
  return patiently(limits, async () => {
    const versions: ListedVersion[] = [];
    for await (const version of listVersions(store, { prefix: key, after: "" })) {
      if (version.key !== key) break;
      versions.push(version);
    }
    return versions;
  });
}

/**
 * What is to be copied, the oldest first, and what is to be on top then.
 *
 * @param failures by version: they are not tried again
 */
function planOf(
  job: Job,
  seen: readonly Seen[],
  failures: ReadonlyMap<string, unknown>,
): { todo: readonly Readable[]; top: Readable | undefined; latest: Readable | undefined } {
  const latest = readable(seen.find(({ isLatest }) => isLatest));
  const before =
    latest?.wasCurrent === undefined
      ? undefined
      : seen.find(({ versionId }) => versionId === latest.wasCurrent);
  const top = readable(before) ?? latest;
  const todo = seen
    .filter((one) => isOld(job, one) && !one.isLatest && one !== before)
    .filter((one) => copyOf(job, one, seen) === undefined && !failures.has(one.versionId))
    .map(readable)
    .filter((one) => one !== undefined);
  return { todo: todo.reverse(), top, latest: top === undefined || before === undefined ? top : latest };
}

function readable(seen: Seen | undefined): Readable | undefined {
  if (seen === undefined || !("head" in seen.found)) return undefined;
  const { found } = seen;
  return { ...seen, head: found.head, source: found.kind === "under" ? found.key : undefined };
}

/** Whether it is under a key that is rotated from. */
function isOld(job: Job, { found }: Seen): boolean {
  if (found.kind === "plain") return job.encryptPlain;
  if (found.kind !== "under" || found.key.id === job.target.id) return false;
  return job.from === undefined || job.from === found.key.id;
}

function copyOf(job: Job, { versionId }: Seen, seen: readonly Seen[]): Seen | undefined {
  return seen.find(
    ({ of, found }) => of === versionId && found.kind === "under" && found.key.id === job.target.id,
  );
}

/**
 * Whether nothing is lost with it: its copy is under the target by the store's own word, and byte for byte the same. The
 * metadata of a copy is anybody's who writes; only the bytes are not.
 */
async function isProven(job: Job, key: string, version: Seen, copy: Seen, target: CustomerKey) {
  const [one, other] = [readable(version), readable(copy)];
  if (one === undefined || other === undefined || !isUnderKey(other.head.headers, target)) return false;
  const { size } = one.head;
  if (other.head.size !== size) return false;
  for (let first = 0; first < size; first += COMPARED) {
    const range = [first, Math.min(first + COMPARED, size) - 1] as const;
    const read = ({ versionId, source, head: { etag, headers } }: Readable) => {
      const isEncoded = headers.has("content-encoding");
      const wanted = { key, versionId, from: source, etag, isEncoded, range, length: range[1] - first + 1 };
      return patiently(job.limits, () => open(job.store, { ...wanted, isHeld: true }, undefined));
    };
    const [a, b] = await Promise.all([read(one), read(other)]);
    if (a.md5 !== b.md5) return false;
  }
  return true;
}

/** Why none of its versions can be copied. */
function whyNot({ ways }: Job, latest: Readable | undefined): [code: string, detail: string] | undefined {
  if (!ways.keepsVersions)
    return ["conflict", "the bucket keeps no versions at present: a copy would replace another."];
  if (latest === undefined)
    return ["conflict", "the object is deleted, or cannot be read: a copy would bring it back."];
  if ((ways.copies ? ways.ifMatchOfCopy : ways.ifMatchOfPut) === undefined)
    return [
      "store-error",
      "the store holds no condition on what is replaced: a copy could hide what is written meanwhile.",
    ];
  return undefined;
}

/**
 * A copy of a version, which is current then.
 *
 * @param onto the ETag of what is current
 * @throws {Refused} when that is another by now; {GaveUp}
 */
async function copyOnTop(
  job: Job,
  key: string,
  version: Readable,
  onto: string,
  mark: Readonly<Record<string, string>>,
): Promise<Written | { code: string; detail: string }> {
  const { head, source, versionId } = version;
  if (head.size > (job.ways.copies ? job.limits.maxCopy : job.limits.maxWhole))
    return { code: "too-large", detail: "it is larger than what is copied at once." };
  const to = await targetOf(job, key);
  try {
    const placed = await patiently(job.limits, () => placementOf(job, key, head.headers, versionId));
    const whole = await patiently(job.limits, () => wholeHeaders(job, key, head.headers, placed, versionId));
    const { [VERSION_THEN]: _, ...kept } = whole;
    const headers = { ...kept, [VERSION_OF]: versionId, ...mark };
    const written = await patiently(job.limits, () => write(job, key, version, { to, onto, headers }));
    if (written === undefined) return { code: "store-error", detail: "the store does not copy it." };
    const claim = { from: source, to, before: head, written };
    const outcome = await confirm(job, key, claim);
    if (outcome === undefined)
      return { code: "store-error", detail: "its copy does not open under the target." };
    return outcome.failure ?? written;
  } catch (error) {
    if (!(error instanceof Refused) || isPassing(error)) throw error;
    if (["precondition-failed", "conflict", "not-found"].includes(error.reason)) throw error;
    return { code: error.reason, detail: error.message };
  }
}

async function write(
  { store, ways, pipe }: Job,
  key: string,
  { head, source, versionId }: Readable,
  { to, onto, headers }: { to: CustomerKey; onto: string; headers: Readonly<Record<string, string>> },
): Promise<Written | undefined> {
  const { etag, size } = head;
  const { "x-amz-tagging": tagging, ...untagged } = headers;
  if (ways.copies) {
    const anew = { ...untagged, "x-amz-metadata-directive": "REPLACE" };
    const copied = await copyInPlace(
      store,
      { key, versionId, from: source, to, etag, onto, headers: anew },
      ways,
    );
    return copied && { ...copied, ...(tagging !== undefined && { tagging }) };
  }
  const isEncoded = head.headers.has("content-encoding");
  const wanted = { key, versionId, from: source, etag, length: size, isEncoded, isHeld: true };
  const body = await open(store, wanted, pipe);
  const given = { ...headers, ...ifMatch(ways.ifMatchOfPut, onto), ...customerKeyHeaders(to) };
  const answer = await send(store, { key, query: { "x-id": "PutObject" } }, given, body);
  return { etag: answer.get("etag") ?? "", ...(tagging !== undefined && { tagging }) };
}

/** @returns why it is not removed */
async function remove({ store, limits }: Job, key: string, versionId: string): Promise<string | undefined> {
  const request = { name: "DeleteObject", method: "DELETE", key, query: { versionId } };
  try {
    await patiently(limits, () => store.run(request, undefined));
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}
