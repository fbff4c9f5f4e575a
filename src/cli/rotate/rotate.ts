/** A rotation as it is asked for: begun or gone on with, followed, and accounted for. */
import type { RotationReport } from "../../rotation/state.ts";
import { ApiError } from "../api.ts";
import { print } from "../output.ts";
import { EXIT, nextCommand, printable } from "../terminal.ts";
import { accountOf, type Commands, errorLine, isBad } from "./account.ts";
import { estimateOf } from "./estimate.ts";
import { follow } from "./follow.ts";
import { type RotationsOptions, rotationsFor } from "./open.ts";
import type { Rotations, Wanted } from "./rotations.ts";

export interface RotateOptions extends RotationsOptions {
  readonly prefix?: string;
  readonly from?: readonly string[];
  readonly to?: string;
  readonly dryRun?: true;
  readonly versions?: true;
  readonly removeVersions?: true;
  readonly encryptPlain?: true;
  readonly status?: true;
  readonly errors?: true;
  readonly cancel?: true;
  readonly resume?: true;
  readonly json?: true;
}

export async function rotate(bucket: string, options: RotateOptions): Promise<void> {
  if (bucket.includes("/"))
    throw new Error(`${printable(bucket)} is no bucket of BUCKETS: a part of one is named by --prefix`);
  const { status, errors, cancel } = options;
  const rotations = await rotationsFor(options, status || errors ? "look" : cancel ? "cancel" : "work");
  try {
    await carryOut(rotations, bucket, options);
  } finally {
    await rotations.close();
  }
}

async function carryOut(rotations: Rotations, bucket: string, options: RotateOptions): Promise<void> {
  if (options.status) return account(rotations, await demandLast(rotations, bucket), options);
  if (options.errors) return printErrors(rotations, await demandLast(rotations, bucket), options);
  if (options.cancel) return cancel(rotations, bucket, options);
  if (options.resume) {
    const last = await demandLast(rotations, bucket, ({ dryRun, state }) => !dryRun || state !== "done");
    return toTheEnd(rotations, await rotations.resume(last.id), options);
  }
  const { from = [], json: _, ...rest } = options;
  for (const id of from.length > 0 ? from : [undefined]) {
    const wanted = wantedOf(bucket, { ...rest, ...(id !== undefined && { from: id }) });
    await toTheEnd(rotations, await beginOrFollow(rotations, wanted), options);
    if (process.exitCode) {
      const left = from.slice(from.indexOf(id ?? "") + 1);
      if (left.length > 0) console.error(`ssec: not begun: what is under ${left.join(", ")}`);
      return;
    }
  }
}

/** Only what was asked for is sent. */
function wantedOf(bucket: string, given: Omit<Wanted, "bucket">): Wanted {
  const { prefix, from, to, dryRun, versions, removeVersions, encryptPlain } = given;
  return {
    bucket,
    ...(prefix !== undefined && { prefix }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(dryRun && { dryRun }),
    ...(versions && { versions }),
    ...(removeVersions && { removeVersions }),
    ...(encryptPlain && { encryptPlain }),
  };
}

/** The rotation that runs in the bucket already, or a new one. */
export async function beginOrFollow(rotations: Rotations, wanted: Wanted): Promise<RotationReport> {
  const running = await runningIn(rotations, wanted.bucket);
  if (running !== undefined) return followed(running, wanted, rotations);
  try {
    return await rotations.start(wanted);
  } catch (error) {
    // Somebody was quicker.
    if (!(error instanceof ApiError) || error.code !== "conflict") throw error;
    const quicker = await runningIn(rotations, wanted.bucket);
    if (quicker === undefined) throw error;
    return followed(quicker, wanted, rotations);
  }
}

async function runningIn(rotations: Rotations, bucket: string): Promise<RotationReport | undefined> {
  return (await rotations.list(bucket)).find(({ state }) => state === "running");
}

/** @throws when it is another than asked for: to follow it would tell of something else */
function followed(running: RotationReport, wanted: Wanted, rotations: Rotations): RotationReport {
  const commands = commandsFor(running.bucket, rotations);
  const { dryRun = false, prefix, from, to } = wanted;
  const isOther =
    running.dryRun !== dryRun ||
    (wanted.versions && running.versions === undefined) ||
    (wanted.removeVersions && !running.removeVersions) ||
    (wanted.encryptPlain && !running.encryptPlain) ||
    [
      [prefix, running.prefix],
      [from, running.from],
      [to, running.to],
    ].some(([asked, its]) => asked !== undefined && asked !== its);
  const what = [
    running.dryRun ? "a dry run" : `a rotation to ${running.to}`,
    ...(running.from === undefined ? [] : [`from ${running.from}`]),
    ...(running.prefix === "" ? [] : [`of ${printable(running.prefix)}`]),
  ].join(" ");
  if (isOther) {
    throw new Error(
      `${what} runs in ${running.bucket}, which is not what is asked for: wait for it, or end it\n  ${commands.status}\n  ${commands.cancel}`,
    );
  }
  console.error(`${what}, begun ${running.startedAt}, goes on`);
  return running;
}

/** Follows it, and tells what has become of it. */
async function toTheEnd(
  rotations: Rotations,
  begun: RotationReport,
  options: Pick<RotateOptions, "json">,
): Promise<void> {
  const report = await followToEnd(rotations, begun);
  if (report !== undefined) await account(rotations, report, options);
}

/** @returns undefined after Ctrl-C, of which all is said */
export async function followToEnd(
  rotations: Rotations,
  begun: RotationReport,
): Promise<RotationReport | undefined> {
  const commands = commandsFor(begun.bucket, rotations);
  const hint = () => {
    console.error(`  look:   ${commands.status}\n  follow: ${commands.follow}\n  cancel: ${commands.cancel}`);
  };
  try {
    const { report, isInterrupted } = await follow(rotations, begun);
    if (!isInterrupted) return report;
  } catch (error) {
    if (rotations.goesOn) {
      console.error(`ssec: nobody looks at it any more; the rotation ${begun.id} goes on where it can`);
      hint();
    }
    throw error;
  }
  if (rotations.goesOn) {
    console.error("ssec: it goes on in the Worker");
    hint();
  } else console.error(`ssec: cut off; the same command goes on\n  cancel: ${commands.cancel}`);
  process.exitCode = EXIT.interrupted;
  // What is at work here is cut off as by a kill, which the ledger knows how to mend.
  if (!rotations.goesOn) process.exit(EXIT.interrupted);
  return undefined;
}

async function account(
  rotations: Rotations,
  last: RotationReport,
  { json }: Pick<RotateOptions, "json">,
): Promise<void> {
  // A list tells no errors.
  const report = last.errors === undefined ? await rotations.find(last.id) : last;
  const isEstimated = report.dryRun && report.state === "done";
  const estimate = isEstimated ? estimateOf(report, rotations.goesOn) : undefined;
  if (json) print(JSON.stringify({ ...report, ...(estimate && { estimate }) }));
  else for (const line of accountOf(report, commandsFor(report.bucket, rotations), estimate)) print(line);
  if (isBad(report)) process.exitCode = EXIT.failed;
}

async function cancel(rotations: Rotations, bucket: string, options: RotateOptions): Promise<void> {
  const last = await demandLast(rotations, bucket);
  if (last.state === "done" || last.state === "failed")
    throw new Error(`nothing runs in ${bucket}: the last rotation of ${last.startedAt} is ${last.state}`);
  const report = last.state === "running" ? await rotations.cancel(last.id) : await rotations.find(last.id);
  if (options.json) return print(JSON.stringify(report));
  for (const line of accountOf(report, commandsFor(bucket, rotations))) print(line);
}

async function printErrors(
  rotations: Rotations,
  { id }: RotationReport,
  { json }: RotateOptions,
): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await rotations.errors(id, cursor);
    for (const error of page.errors) print(json ? JSON.stringify(error) : errorLine(error));
    ({ cursor } = page);
  } while (cursor !== undefined);
}

/**
 * The one that runs, else the newest.
 *
 * @param isMeant of which the newest is taken, where there is such a one
 * @throws when there is none
 */
async function demandLast(
  rotations: Rotations,
  bucket: string,
  isMeant: (report: RotationReport) => boolean = () => true,
): Promise<RotationReport> {
  const all = await rotations.list(bucket);
  const last = all.find(({ state }) => state === "running") ?? all.find(isMeant) ?? all[0];
  if (last !== undefined) return last;
  throw new Error(`nothing was rotated in ${printable(bucket)} yet`);
}

export function commandsFor(bucket: string, { flags }: Rotations): Commands {
  const command = (...more: string[]) => nextCommand("rotate", bucket, ...flags, ...more);
  return {
    status: command("--status"),
    follow: command(),
    cancel: command("--cancel"),
    resume: command("--resume"),
    errors: command("--errors"),
    versions: command("--versions"),
  };
}
