/**
 * A setting of a bucket, such as its policy, that the store replaces as a whole: shown as a difference, agreed to,
 * written where nobody else has changed it, proven, and put back where the proof fails.
 */
import { setTimeout } from "node:timers/promises";
import { difference } from "./diff.ts";
import type { Finding } from "./proof.ts";
import { wordsOf } from "./s3-errors.ts";
import { isSame } from "./same-document.ts";
import { agree, EXIT, paint, printable } from "./terminal.ts";

/** Between two looks, milliseconds. */
const PAUSE = 500;

export interface Setting {
  /** What it is called: `bucket policy`. */
  readonly name: string;
  /** As JSON; undefined where there is none. */
  read(): Promise<string | undefined>;
  put(json: string): Promise<void>;
  remove(): Promise<void>;
}

export interface Change {
  readonly setting: Setting;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** What the operator should know before agreeing. */
  readonly warnings: readonly string[];
  /** Tries whether it holds, where there is something to hold. */
  readonly prove?: () => Promise<readonly Finding[]>;
}

export interface ChangeOptions {
  readonly apply?: true;
  readonly yes?: true;
  readonly json?: true;
  /** Stores spread a new setting over their machines; so long it may take until it holds, seconds. */
  readonly wait: number;
}

interface Result {
  readonly applied: boolean;
  /** Nothing was refused, and what was tried holds. */
  readonly isGood: boolean;
  readonly proof: readonly Finding[];
  readonly outcome: string;
}

/** Shows a change and, where asked to, makes it. What was not done, or does not hold, sets the exit status. */
export async function make(change: Change, options: ChangeOptions): Promise<void> {
  // A reader that has gone, as `head`, must not end this between a change and its proof.
  const streams = [process.stdout, process.stderr];
  const goOn = () => nobodyReads.abort();
  for (const stream of streams) stream.on("error", goOn);
  try {
    await show(change, options);
  } finally {
    for (const stream of streams) stream.off("error", goOn);
  }
}

async function show(change: Change, options: ChangeOptions): Promise<void> {
  const { setting, before, after, warnings } = change;
  const changes = !isSame(before, after);
  const say = options.json ? () => {} : console.log;
  say(changes ? difference(pretty(before), pretty(after)) : `The ${setting.name} is as it should be.`);
  for (const warning of warnings) say(paint("yellow", `! ${printable(warning)}`));
  const { isGood, ...result } = await applyWhereAsked(change, changes, options);
  for (const { what, holds } of result.proof) {
    say(`${holds ? paint("green", "✓") : paint("red", "✗")} ${printable(what)}`);
  }
  say(result.outcome);
  if (options.json) console.log(JSON.stringify({ changes, warnings, document: parsed(after), ...result }));
  if (!isGood) process.exitCode = EXIT.failed;
}

/** Aborted when what is said can no longer be read. */
const nobodyReads = new AbortController();

/** What ends a change before its time: it is then put back. */
const INTERRUPTIONS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function applyWhereAsked(change: Change, changes: boolean, options: ChangeOptions): Promise<Result> {
  const nothing = { applied: false, isGood: true, proof: [] };
  if (options.apply !== true) {
    return {
      ...nothing,
      outcome: changes ? "Nothing was changed: give --apply." : "There is nothing to do.",
    };
  }
  const agreed = !changes || (await agree(`Put this ${change.setting.name} in place?`, options.yes === true));
  if (!agreed) return { ...nothing, isGood: false, outcome: "Nothing was changed." };
  if (change.prove && !options.json) console.log(paint("dim", "Trying it with a throw-away object …"));
  return apply(change, changes, options.wait * 1000);
}

/** @param wait milliseconds */
async function apply(change: Change, changes: boolean, wait: number): Promise<Result> {
  const { setting, prove } = change;
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  // npm passes Ctrl-C on a second time.
  for (const signal of INTERRUPTIONS) process.on(signal, stop);
  const interrupted = AbortSignal.any([interrupt.signal, nobodyReads.signal]);
  try {
    if (changes) await replace(change);
    const proof = prove === undefined ? [] : await proven(prove, wait, interrupted);
    if (!proof.every(({ holds }) => holds)) {
      const outcome = changes ? await putBack(change) : "It does not hold.";
      return { applied: false, isGood: false, proof, outcome };
    }
    const held = changes ? `The ${setting.name} is in place, and holds.` : "It holds.";
    return { applied: changes, isGood: true, proof, outcome: prove === undefined ? "It is done." : held };
  } finally {
    for (const signal of INTERRUPTIONS) process.off(signal, stop);
  }
}

/** Writes where nobody else has written meanwhile. */
async function replace({ setting, before, after }: Change): Promise<void> {
  if (!isSame(await setting.read(), before)) {
    throw new Error(
      `somebody has changed the ${setting.name} in the meantime: nothing was written, run it again`,
    );
  }
  await write(setting, after);
}

/** What the proof finds in the end: at once where all of it holds, else when the time for spreading is over. */
async function proven(
  prove: NonNullable<Change["prove"]>,
  wait: number,
  interrupted: AbortSignal,
): Promise<readonly Finding[]> {
  const deadline = Date.now() + wait;
  for (;;) {
    const findings = await prove().catch((error: unknown) => [{ what: wordsOf(error), holds: false }]);
    if (interrupted.aborted) return [...findings, { what: "it was interrupted", holds: false }];
    if (findings.every(({ holds }) => holds) || Date.now() > deadline) return findings;
    await setTimeout(PAUSE);
  }
}

async function putBack({ setting, before, after }: Change): Promise<string> {
  try {
    const there = await setting.read();
    // What was written may not have spread yet.
    if (!isSame(there, after) && !isSame(there, before)) {
      return `It does not hold, and somebody else has changed the ${setting.name} since: it is left as it is.`;
    }
    await write(setting, before);
  } catch (error) {
    throw new Error(
      `it does not hold, and the old ${setting.name} could not be put back: ${wordsOf(error)}. It was: ${before ?? "none"}`,
    );
  }
  return before === undefined
    ? `It does not hold: the ${setting.name} has been taken away again, there was none before.`
    : `It does not hold: the old ${setting.name} is back.`;
}

function write(setting: Setting, json: string | undefined): Promise<void> {
  return json === undefined ? setting.remove() : setting.put(json);
}

function pretty(json: string | undefined): string {
  return json === undefined ? "" : `${JSON.stringify(parsed(json), null, 2)}\n`;
}

function parsed(json: string | undefined): unknown {
  return json === undefined ? null : JSON.parse(json);
}
