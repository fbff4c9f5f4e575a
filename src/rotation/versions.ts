/** Versions that are not current: counted by the key that they need, and rotated where that is asked for. */
import { type ListedVersion, listVersions } from "../s3/store/list-versions.ts";
import { type Found, find, isUnreachable } from "./find.ts";
import { rotateHistory } from "./history.ts";
import type { Job } from "./job.ts";
import { compareKeys } from "./order.ts";
import { patiently } from "./patience.ts";
import type { PageEnd, PageRow } from "./state.ts";
import { Tally } from "./tally.ts";

/**
 * Those of a page's objects; after the page, whose rotation has made some of them. There may be many more of them than
 * objects: as many as a page has objects are looked at, to the end of the last's, and the rest is for others.
 *
 * @param tell tells the ledger what is done so far, through a key, and gives a sign of life; false where the lease is lost
 * @returns what is not told yet
 */
export async function olderVersions(
  job: Job,
  prefix: string,
  { after, last, olderThrough }: PageRow,
  {
    tell,
    isEnough,
  }: {
    readonly tell: (tally: Tally, through: string | undefined) => Promise<boolean>;
    readonly isEnough: () => boolean;
  },
): Promise<{ end: PageEnd; tally: Tally }> {
  let tally = new Tally();
  if (!job.ways.isVersioned) return { end: "done", tally };
  let hint = job.from ?? job.target.id;
  let toldAt = Date.now();
  let looks = 0;
  let key = olderThrough ?? after;
  const count = (found: Found) => {
    if (found.kind === "under") hint = found.key.id;
    if (found.kind !== "gone") tally.count(`older/${found.kind === "under" ? found.key.id : found.kind}`);
  };
  const isDue = () => Date.now() - toldAt >= job.limits.checkpointEvery;
  /** @param through undefined in the midst of an object, of which nothing is told yet */
  const isHeld = async (news: Tally, through?: string) => {
    toldAt = Date.now();
    return tell(news, through);
  };
  const next = async () => {
    const news = tally;
    tally = new Tally();
    return isHeld(news, key);
  };
  for await (const versions of byObject(job, prefix, { after: key, last })) {
    const [first] = versions;
    if (first !== undefined && first.key !== key) {
      const isFull = looks >= job.limits.pageSize || (looks > 0 && isEnough());
      if (isFull) return { end: (await next()) ? "later" : "lost", tally };
      if (isDue() && !(await next())) return { end: "lost", tally };
      key = first.key;
    }
    const older = versions.filter(({ isLatest }) => !isLatest);
    looks += older.length;
    if (isUnreachable(key, job.ways)) for (const _ of older) count({ kind: "unknown", unusable: undefined });
    else if (job.versions && older.length > 0) {
      const end = await rotateHistory(job, key, versions, hint);
      tally.count("versions/copied", end.copied);
      tally.count("versions/removed", end.removed);
      tally.count("versions/failed", end.failures.length);
      tally.failures.push(...end.failures.slice(0, 1));
      for (const found of end.older) count(found);
      // What has become of them is known here alone.
      if (!(await next())) return { end: "lost", tally };
    } else {
      for (const { versionId } of older) {
        count(await patiently(job.limits, () => find(job, key, hint, versionId)));
        if (isDue() && !(await isHeld(new Tally()))) return { end: "lost", tally };
      }
    }
  }
  return { end: "done", tally };
}

/** All versions of each object, the newest first, as they are listed. */
async function* byObject(
  { store, versions: areTogether }: Job,
  prefix: string,
  { after, last }: Pick<PageRow, "after" | "last">,
): AsyncGenerator<readonly ListedVersion[]> {
  let together: ListedVersion[] = [];
  for await (const version of listVersions(store, { prefix, after })) {
    const { key } = version;
    if (last !== null && compareKeys(key, last) > 0) break;
    if (compareKeys(key, after) <= 0) continue;
    if (together.length > 0 && (!areTogether || together[0]?.key !== key)) {
      yield together;
      together = [];
    }
    together.push(version);
  }
  if (together.length > 0) yield together;
}
