/** `ssec audit`: the trail, as a table or as JSON lines. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { AuditEvent } from "../../audit/event.ts";
import { DAY } from "../../time.ts";
import { Api, type ApiOptions } from "../api.ts";
import { ssec } from "../called-as.ts";
import { wholeNumber } from "../options.ts";
import { table } from "../table.ts";
import { printable } from "../terminal.ts";
import { auditObjects } from "./audit-objects.ts";

/** What the Worker gives at once. */
const MAX_PAGE = 1000;

interface EventOptions extends ApiOptions {
  readonly bucket?: string;
  readonly key?: string;
  readonly keyId?: string;
  readonly caller?: string;
  readonly operation?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly json?: true;
}

const sinceOption = new Option(
  "--since <time>",
  "an ISO date or date-time, or how long ago: 30m, 2h, 7d",
).argParser(time);
const jsonOption = new Option("--json", "one JSON object a line");

const summary = new Command("summary")
  .description("how many events there were of each kind")
  .addOption(sinceOption)
  .addOption(jsonOption)
  .addHelpText("after", `\nExample:\n  ${ssec()} audit summary --since 7d`)
  .action(async (_, command: Command) => {
    const { json, since, ...options } = command.optsWithGlobals<
      ApiOptions & { since?: string; json?: true }
    >();
    const answer = await new Api(options).get<Record<string, unknown>>("/v1/audit/summary", { since });
    if (json) return console.log(JSON.stringify(answer));
    console.log(`${answer.total} events since ${answer.since}`);
    for (const kind of ["outcome", "code", "caller", "operation"]) {
      const counts = Object.entries(answer[kind] as Record<string, number>).sort((a, b) => b[1] - a[1]);
      if (counts.length > 0)
        console.log(
          `\n${table(
            [kind, "events"],
            counts.map(([name, n]) => [name, String(n)]),
          )}`,
        );
    }
  });

export const auditCommand = new Command("audit")
  .option("--bucket <name>")
  .option("--key <key>", "an object key")
  .option("--key-id <id>", "a key of KEYS")
  .option("--caller <name>")
  .option("--operation <name>", "S3's own name, as PutObject")
  .addOption(new Option("--outcome <outcome>").choices(["allowed", "denied", "failed"]))
  .addOption(sinceOption)
  .addOption(new Option("--until <time>", "the same").argParser(time))
  .addOption(new Option("--limit <n>", "at most so many events").default(100).argParser(wholeNumber))
  .addOption(jsonOption)
  .addCommand(auditObjects)
  .addCommand(summary)
  .addHelpText(
    "after",
    `
Examples:
  ${ssec()} audit --outcome denied --since 24h
  ${ssec()} audit --bucket media --key users/42/cat.jpg --json | jq .caller
  ${ssec()} audit objects k1
  ${ssec()} audit summary --since 7d`,
  )
  .action(async (_, command: Command) => {
    const { json, limit, ...options } = command.optsWithGlobals<EventOptions>();
    const { bucket, key, keyId, caller, operation, outcome, since, until } = options;
    const filter = { bucket, key, keyId, caller, operation, outcome, since, until };
    const found = await collect<AuditEvent>(new Api(options), "/v1/audit", "events", filter, limit);
    print(
      json,
      found,
      ["time", "outcome", "caller", "operation", "bucket", "key", "key id", "ip"],
      (event) => [
        event.time,
        (event.code ?? event.outcome) + (event.count === undefined ? "" : ` x${event.count}`),
        [event.caller, event.subject].filter(Boolean).join("/"),
        event.operation ?? "",
        event.bucket ?? "",
        event.key ?? "",
        event.keyId ?? "",
        event.ip ?? "",
      ],
    );
  });

/** All pages of a list, or as many as make up `limit`. */
async function collect<T>(
  api: Api,
  path: string,
  name: string,
  filter: Record<string, string | undefined>,
  limit: number,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const size = Math.min(limit - items.length, MAX_PAGE);
    const page = await api.get<Record<string, unknown>>(path, { ...filter, cursor, limit: String(size) });
    items.push(...(page[name] as T[]));
    cursor = page.cursor as string | undefined;
  } while (cursor !== undefined && items.length < limit);
  return items;
}

function print<T>(
  json: true | undefined,
  items: readonly T[],
  head: string[],
  row: (item: T) => string[],
): void {
  if (json) for (const item of items) console.log(JSON.stringify(item));
  else
    console.log(
      items.length === 0
        ? "nothing"
        : table(
            head,
            items.map((item) => row(item).map(printable)),
          ),
    );
}

function time(text: string): string {
  const [, amount, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  const milliseconds = { m: 60_000, h: 3_600_000, d: DAY }[unit as "m" | "h" | "d"];
  if (milliseconds !== undefined) return new Date(Date.now() - Number(amount) * milliseconds).toISOString();
  if (Number.isNaN(Date.parse(text))) throw new InvalidArgumentError("as 2026-11-24, or 2h.");
  return new Date(text).toISOString();
}
