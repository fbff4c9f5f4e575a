/** What has become of a rotation, for people. */
import { PLAIN, UNKNOWN } from "../../keys/no-key.ts";
import type { Failure, RotationReport } from "../../rotation/state.ts";
import { marked } from "../check/line.ts";
import { printable } from "../terminal.ts";
import { inUnits } from "../transfer/progress.ts";
import { type Estimate, inDollars } from "./estimate.ts";
import { handled, inTime, waiting } from "./progress.ts";

/** Errors that are shown; all of them are asked for by name. */
const FIRST_ERRORS = 10;

/** Commands that go with it, ready to paste. */
export interface Commands {
  readonly status: string;
  readonly follow: string;
  readonly cancel: string;
  readonly resume: string;
  readonly errors: string;
  readonly versions: string;
}

export function accountOf(report: RotationReport, commands: Commands, estimate?: Estimate): string[] {
  return [
    headline(report, commands),
    ...foundLines(report),
    ...(estimate ? estimateLines(report, estimate) : []),
    ...olderLines(report, commands),
    ...errorLines(report, commands),
  ];
}

/** Not done, or not all of it. */
export function isBad(report: RotationReport): boolean {
  const { state, failed, versions } = report;
  const isWhole = failed === 0 && !versions?.failed;
  return state === "failed" || state === "cancelled" || (state === "done" && !isWhole);
}

function headline(report: RotationReport, commands: Commands): string {
  const { bucket, prefix, to, dryRun, state, startedAt, endedAt, reason, listed, isListed } = report;
  const what = `${printable(bucket)}${prefix && `/${printable(prefix)}`}`;
  const doing = dryRun ? "dry run" : `rotation to ${to}`;
  const took = inTime((Date.parse(endedAt ?? startedAt) - Date.parse(startedAt)) / 1000);
  switch (state) {
    case "running": {
      const far = `${handled(report)} of ${listed}${isListed ? "" : " or more"} objects`;
      const why = report.pausedUntil === undefined ? "" : `; it ${waiting(report)}`;
      return marked("off", `${what}: the ${doing} of ${startedAt} runs: ${far}${why}\n  ${commands.follow}`);
    }
    case "done":
      return marked(
        isBad(report) ? "warn" : "ok",
        `${what}: the ${doing} is done: ${counted(report)}, in ${took}`,
      );
    case "failed":
      return marked(
        "bad",
        `${what}: the ${doing} has failed: ${printable(reason ?? "")} So far: ${counted(report)}\n  once that is mended: ${commands.resume}`,
      );
    case "cancelled":
      return marked(
        "warn",
        `${what}: the ${doing} was cancelled: ${counted(report)}\n  to go on: ${commands.resume}`,
      );
  }
}

function counted({ rotated, skipped, failed, bytes, dryRun }: RotationReport): string {
  if (dryRun) return `${skipped + failed} objects seen`;
  return `${rotated} rotated (${inUnits(bytes)}), ${skipped} skipped, ${failed} failed`;
}

function foundLines({ found, to }: RotationReport): string[] {
  const words = (id: string) =>
    id === PLAIN ? "in the clear" : id === UNKNOWN ? "under none of the keys" : `under ${id}`;
  const parts = Object.entries(found)
    .filter(([, n]) => n > 0)
    .sort(([a], [b]) => Number(b === to) - Number(a === to) || (a < b ? -1 : 1))
    .map(([id, n]) => `${n} ${words(id)}`);
  return parts.length > 0 ? [`  found: ${parts.join(", ")}`] : [];
}

function estimateLines({ to }: RotationReport, estimate: Estimate): string[] {
  const { objects, bytes, requests, dollars, seconds } = estimate;
  if (objects === 0) return [`  Nothing would be rotated to ${to}.`];
  return [
    `  ${objects} objects, about ${inUnits(bytes)}, would be rotated to ${to}:`,
    `    about ${requests} requests to the store, ${inDollars(dollars.store)} at AWS's prices; where it does not copy, the bytes go down and up`,
    ...(dollars.cloudflare > 0
      ? [`    ${inDollars(dollars.cloudflare)} at Cloudflare, beyond what the plan includes`]
      : []),
    `    about ${inTime(Math.max(seconds, 1))}, at the pace of this dry run`,
  ];
}

function olderLines(report: RotationReport, commands: Commands): string[] {
  const { olderVersions, dryRun, versions } = report;
  const done = versions
    ? [`  older versions: ${versions.copied} copied, ${versions.removed} removed, ${versions.failed} failed`]
    : [];
  if (olderVersions === 0) return done;
  const line = `  ${olderVersions} older versions are under other keys, which have to stay for them`;
  return [...done, dryRun || versions ? line : `${line}: ${commands.versions}`];
}

function errorLines({ errors = [], failed, versions }: RotationReport, commands: Commands): string[] {
  const shown = errors.slice(0, FIRST_ERRORS).map((error) => `  ${errorLine(error)}`);
  if (Math.max(failed, errors.length) <= shown.length) return shown;
  // Of an object's versions one line tells: how many lines there are is known of objects alone.
  const more = versions?.failed ? "more" : `${failed - shown.length} more`;
  return [...shown, `  ${more}; all of them: ${commands.errors}`];
}

export function errorLine({ key, code, detail }: Failure): string {
  return `${printable(key)}: ${code}: ${printable(detail)}`;
}
