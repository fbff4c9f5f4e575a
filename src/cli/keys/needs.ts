/** What still needs a key, and why it is not known that nothing does, in words for its operator. */
import type { NeededBy, NeededIn, ReportedKey } from "../../rotation/needed.ts";
import { nextCommand } from "../terminal.ts";

/** `k1 is still needed by 3 objects and 2 older versions in media (scan of …)`, or `k1 can be removed` */
export function needOf({ id, neededBy, state }: ReportedKey, flags: readonly string[] = []): string {
  if (neededBy === undefined) return `${id} may still be needed: no bucket of its was scanned`;
  if (neededBy.removable && state === "pending") return `${id} does not write yet`;
  if (neededBy.removable) return `${id} can be removed: ${nextCommand("keys", "retire", id, ...flags)}`;
  const needing = neededBy.buckets.filter(isNeeding);
  if (needing.length > 0) return `${id} is still needed by ${needing.map(inWords).join(", and by ")}`;
  const doubts = doubtsOf(id, neededBy, flags);
  return `${id} cannot be removed yet, although nothing was found under it: ${doubts.join("; ")}`;
}

/** In a cell of a table. */
export function briefly({ neededBy, state }: ReportedKey): string {
  if (neededBy === undefined) return "not scanned";
  const { objects, olderVersions, complete, removable } = neededBy;
  if (removable) return state === "pending" ? "nothing yet" : "nothing: it can go";
  const counts = [
    countOf(objects, "object"),
    ...(olderVersions > 0 ? [countOf(olderVersions, "older version")] : []),
  ];
  return `${counts.join(", ")}${complete ? "" : " or more"}`;
}

/** Why a count of zero would not suffice, each with what there is to do. */
export function doubtsOf(
  id: string,
  { buckets, complete }: NeededBy,
  flags: readonly string[] = [],
): string[] {
  const doubts = buckets.flatMap((one) => doubtOf(id, one, flags) ?? []);
  if (doubts.length > 0 || complete) return doubts;
  return [`it is a key of buckets that this caller does not administer as well`];
}

function doubtOf(
  id: string,
  { bucket, doubt, scannedAt = "", writtenUntil = "" }: NeededIn,
  flags: readonly string[],
): string | undefined {
  const scan = nextCommand("keys", "scan", bucket, ...flags);
  switch (doubt) {
    case "not-scanned":
      return `${bucket} was not scanned: ${scan}`;
    case "not-tried":
      return `${bucket} was scanned when ${id} was none of its keys: ${scan}`;
    case "unclear":
      return `some objects or older versions of ${bucket} could be seen neither under a key nor under none: ${nextCommand("rotate", bucket, ...flags, "--errors")}`;
    case "versions-hidden":
      return `whether ${bucket} has older versions is not for these credentials to see: let them do GetBucketVersioning and ListBucketVersions, then ${scan}`;
    case "writes":
      return `it is the key that writes to ${bucket}`;
    case "written-later":
      return `uploads to ${bucket} under it were allowed until ${moment(writtenUntil)}, and the scan began ${moment(scannedAt)}: after that, ${scan}`;
    default:
      return undefined;
  }
}

export function isNeeding({ objects, olderVersions }: NeededIn): boolean {
  return objects > 0 || olderVersions > 0;
}

function inWords({ bucket, objects, olderVersions, scannedAt = "" }: NeededIn): string {
  const counts = [
    ...(objects > 0 ? [countOf(objects, "object")] : []),
    ...(olderVersions > 0 ? [countOf(olderVersions, "older version")] : []),
  ];
  return `${counts.join(" and ")} in ${bucket} (scan of ${moment(scannedAt)})`;
}

function countOf(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** `2026-11-28 12:00:00 UTC` */
export function moment(time: string): string {
  return `${time.slice(0, 19).replace("T", " ")} UTC`;
}
