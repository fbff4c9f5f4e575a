/** Versions that are not current: counted by the key that they need, and rotated where that is asked for. */
import { type ListedVersion, listVersions } from "../s3/store/list-versions.ts";
import { type Found, find, isUnreachable } from "./find.ts";
import { rotateHistory } from "./history.ts";
import type { Job } from "./job.ts";
import { compareKeys } from "./order.ts";
import { patiently } from "./patience.ts";
import type { PageRow } from "./state.ts";
import { Tally } from "./tally.ts";

/**
 * Those of a page's objects; after the page, whose rotation has made some of them.
 *
 * @param tell tells the ledger what is done so far, and gives a sign of life; false where the lease is lost
 * @returns undefined where it is
 */
export async function olderVersions(
  job: Job,
  prefix: string,
  page: PageRow,
  tell: (tally: Tally) => Promise<boolean>,
): Promise<Tally | undefined> {
  const tally = new Tally();
  if (!job.ways.isVersioned) return tally;
  let hint = job.from ?? job.target.id;
  let toldAt = Date.now();
  const count = (found: Found) => {
    if (found.kind === "under") hint = found.key.id;
    if (found.kind !== "gone") tally.count(`older/${found.kind === "under" ? found.key.id : found.kind}`);
  };
  const isHeld = async (news: Tally) => {
    if (news.isEmpty && Date.now() - toldAt < job.limits.checkpointEvery) return true;
    toldAt = Date.now();
    return tell(news);
  };
  for await (const versions of byObject(job, prefix, page)) {
    const [{ key } = { key: "" }] = versions;
    const older = versions.filter(({ isLatest }) => !isLatest);
    const news = new Tally();
    if (isUnreachable(key, job.ways)) for (const _ of older) count({ kind: "unknown", unusable: undefined });
    else if (job.versions && older.length > 0) {
      const end = await rotateHistory(job, key, versions, hint);
      news.count("versions/copied", end.copied);
      news.count("versions/removed", end.removed);
      news.count("versions/failed", end.failures.length);
      news.failures.push(...end.failures.slice(0, 1));
      for (const found of end.older) count(found);
    } else {
      for (const { versionId } of older) {
        count(await patiently(job.limits, () => find(job, key, hint, versionId)));
        if (!(await isHeld(new Tally()))) return undefined;
      }
    }
    if (!(await isHeld(news))) return undefined;
  }
  return tally;
}

/** All versions of each object, the newest first, as they are listed. */
async function* byObject(
  { store, versions: areTogether }: Job,
  prefix: string,
  { after, last }: PageRow,
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
