/** `ssec check`: whether the configuration, the secrets and, with --live, the stores are as they should be. */
import { Command, Option } from "commander";
import { type Bucket, ConfigError } from "../../config/load.ts";
import type { ApiOptions } from "../api.ts";
import { ssec } from "../called-as.ts";
import { checkConfiguration } from "../check/configuration.ts";
import { askElsewhere } from "../check/deployed.ts";
import { type Line, marked } from "../check/line.ts";
import { neededLines } from "../check/needed.ts";
import { seconds } from "../options.ts";
import { EXIT, progress } from "../terminal.ts";
import { witness } from "../witness.ts";
import { bucketOf, type ConfiguredWorker, readWorker, type Where } from "../worker.ts";

export type { Line } from "../check/line.ts";

interface CheckOptions extends Where, ApiOptions {
  readonly live?: true;
  readonly bucket?: readonly string[];
  /** Seconds. */
  readonly timeout: number;
  readonly json?: true;
}

export const checkCommand = new Command("check")
  .option("--live", "try every promise of SSE-C in the stores, with throw-away objects that are removed")
  .addOption(new Option("--bucket <name...>", "only these of BUCKETS, live").implies({ live: true }))
  .addOption(
    new Option("--timeout <seconds>", "what one request to a store may take").default(10).argParser(seconds),
  )
  .option("--json", "one JSON object a line")
  .addHelpText(
    "after",
    `
Secrets are read from .dev.vars beside the configuration, or from the environment. Those that are not there are asked of
the Worker at --url, with SSEC_TOKEN. What each line means: docs/check.md.

Exit status: 1 when a line is red (✗); yellow (!) and grey (·) lines leave it at 0; 130 after Ctrl-C.

Examples:
  ${ssec()} check --env production
  ${ssec()} --url https://edge.example.com check
  ${ssec()} check --live
  ${ssec()} check --bucket media --json | jq -r 'select(.verdict == "bad") | .todo'`,
  )
  .action((_, command: Command) => check(command.optsWithGlobals<CheckOptions>()));

/** What is red sets the exit status. */
export async function check(options: CheckOptions): Promise<void> {
  const worker = await configured(options);
  if (Array.isArray(worker)) return print(worker, options);
  const { buckets } = worker.config;
  const tried = options.bucket?.map((name) => bucketOf(worker.config, name)) ?? [...buckets.values()];
  const valid = { verdict: "ok", what: `${options.config}: the configuration is valid` } as const;
  const findings = await checkConfiguration(worker, () => askElsewhere(options, worker));
  const needed = await neededLines(options, worker);
  print([valid, ...findings, ...needed, ...(await witness(options, worker))], options);
  if (options.live) await tryBuckets(tried, worker, options);
}

async function tryBuckets(
  buckets: readonly Bucket[],
  worker: ConfiguredWorker,
  options: CheckOptions,
): Promise<void> {
  const timeLimit = options.timeout * 1000;
  const { checkLive } = await import("../check/live.ts");
  const { live } = await import("../check/table.ts");
  const findings = await untilInterrupted((interrupted) =>
    checkLive(buckets, { ...worker, interrupted, timeLimit, progress }),
  );
  if (findings === undefined) return;
  if (options.json) return print(findings, options);
  for (const bucket of buckets) {
    const its = findings.filter((finding) => finding.bucket === bucket.name);
    console.log(`\n${live(bucket, its)}`);
  }
  judge(findings);
}

/** The Worker, or what is wrong with its configuration. */
async function configured(where: Where): Promise<ConfiguredWorker | Line[]> {
  try {
    return await readWorker(where);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.errors.map(({ path, message }) => ({ verdict: "bad", what: `${path}: ${message}` }));
  }
}

function print(lines: readonly Line[], { json }: CheckOptions): void {
  for (const line of lines) console.log(json ? JSON.stringify(line) : marked(line.verdict, line.what));
  judge(lines);
}

function judge(lines: readonly Line[]): void {
  if (lines.some(({ verdict }) => verdict === "bad")) process.exitCode = EXIT.failed;
}

/** Ctrl-C, which npm passes on a second time, ends what is under way in good order; then there is no result. */
async function untilInterrupted<T>(run: (interrupted: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(new Error("interrupted"));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  // A terminal that has gone takes no more text, which must not keep anything from being removed.
  const streams = [process.stdout, process.stderr];
  for (const stream of streams) stream.on("error", interrupt);
  try {
    return await run(interruption.signal);
  } catch (error) {
    if (error !== interruption.signal.reason) throw error;
    process.exitCode = EXIT.interrupted;
    return undefined;
  } finally {
    progress("");
    for (const signal of signals) process.off(signal, interrupt);
    for (const stream of streams) stream.off("error", interrupt);
  }
}
