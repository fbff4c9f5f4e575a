/** `node scripts/scale.ts`: what a rotation of any size takes; the tables of docs/scale.md. */
import { table } from "./docs/parts.ts";
import type { Way } from "./scale/count.ts";
import { ASSUMED, large, PLATFORM, priceOf, type Simulated, small, units } from "./scale/simulate.ts";

const SIZE = 100_000;
const PB = 1e15;

/** The parts of docs/scale.md. */
export async function scalePage(): Promise<Record<string, string>> {
  const rows: [string, Way, Simulated][] = [];
  for (const way of ["copied", "streamed"] as const) {
    for (const objects of [1e4, 1e6, 1e8])
      rows.push([`${power(objects)} objects of ${bytesOf(SIZE)}`, way, await small(way, objects, SIZE)]);
    const size = way === "copied" ? 10e9 : 1e9;
    rows.push([`1 PB in objects of ${bytesOf(size)}`, way, await large(way, PB / size, size)]);
  }
  return {
    counts: await counts(),
    amounts: table(
      [
        "what",
        "way",
        "requests, reading",
        "writing",
        "messages",
        "rows written",
        "CPU, hours",
        "ledger at most",
      ],
      rows.map(
        ([
          what,
          way,
          {
            count: { reads, writes, messages, rows: written },
            ledger,
          },
        ]) => [
          ...[what, way, rounded(reads), rounded(writes), rounded(messages), rounded(written)],
          ...[rounded(((reads + writes) * ASSUMED.cpu) / 3600), bytesOf(ledger)],
        ],
      ),
    ),
    times: table(
      ["what", "way", "the list", "work, 1 consumer", "10", String(PLATFORM.consumers)],
      rows.map(([what, way, { list, work }]) => [
        ...[what, way, duration(list)],
        ...[1, 10, PLATFORM.consumers].map((consumers) => duration(work(consumers))),
      ]),
    ),
    prices: table(
      ["what", "way", "platform, $", "store's requests at AWS's prices, $"],
      rows.map(([what, way, simulated]) => {
        const { platform, store } = priceOf(simulated);
        return [what, way, dollars(platform), dollars(store)];
      }),
    ),
    limits: limits(rows.map(([, , simulated]) => simulated)),
    assumed: table(
      ["assumed", "is"],
      [
        [
          "a small request that reads, one that writes, a list of 1,000",
          [ASSUMED.read, ASSUMED.write, ASSUMED.list].map(duration).join(", "),
        ],
        ["a statement of D1, there and back", duration(ASSUMED.statement)],
        ["bytes that one connection carries, a second", bytesOf(ASSUMED.streamed)],
        ["bytes that the store copies for one request, a second", bytesOf(ASSUMED.copied)],
        ["writes that the store takes, a second", rounded(ASSUMED.writesPerSecond)],
        ["CPU of a request", duration(ASSUMED.cpu)],
        ["length of a key", `${ASSUMED.key} characters`],
      ],
    ),
  };
}

async function counts(): Promise<string> {
  const rows: string[][] = [];
  for (const way of ["copied", "streamed"] as const) {
    for (const [name, unit] of Object.entries(await units(way))) {
      if (way === "streamed" && name !== "object") continue;
      const { reads, writes, messages, statements, rows: written } = unit;
      const what = name === "object" ? `object, ${way}` : name;
      rows.push([what, ...[reads, writes, messages, statements, written].map(rounded)]);
    }
  }
  return table(["each", "requests, reading", "writing", "messages", "statements", "rows written"], rows);
}

/** @throws where one would be broken: the page is not to say that all is well */
function limits(all: readonly Simulated[]): string {
  const most = (of: (simulated: Simulated) => number) => Math.max(...all.map(of));
  const rows = [
    [
      "requests out of a message, D1's included",
      most(({ largest }) => largest.subrequests),
      PLATFORM.subrequests,
    ],
    ["queries to D1 of a message", most(({ largest }) => largest.queries), PLATFORM.queries],
    ["wall time of a message, seconds", most(({ largest }) => largest.seconds), PLATFORM.wall],
    [
      "CPU time of a message, seconds, as it is unless configured",
      most(({ largest }) => largest.cpu),
      PLATFORM.cpu,
    ],
    ["the ledger, bytes", most(({ ledger }) => ledger), PLATFORM.database],
  ] as const;
  for (const [what, is, may] of rows)
    if (is > may) throw new Error(`${what}: ${is}, and the platform gives ${may}`);
  return table(
    ["limit", "the most of the above", "the platform gives"],
    rows.map(([what, is, may]) => [what, rounded(is), rounded(may)]),
  );
}

function rounded(value: number): string {
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))) - 1);
  const exact = Number(value.toPrecision(value >= 1e4 ? 3 : 4));
  return exact.toLocaleString("en-US", { maximumFractionDigits: Math.min(digits, 3) });
}

function power(value: number): string {
  return value.toLocaleString("en-US");
}

function bytesOf(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  const i = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${rounded(bytes / 1000 ** i)} ${units[i]}`;
}

function duration(seconds: number): string {
  if (seconds < 1) return `${rounded(seconds * 1000)} ms`;
  if (seconds < 120) return `${rounded(seconds)} s`;
  if (seconds < 7200) return `${rounded(seconds / 60)} min`;
  if (seconds < 172_800) return `${rounded(seconds / 3600)} h`;
  return `${rounded(seconds / 86_400)} days`;
}

function dollars(value: number): string {
  return value < 0.01 ? "below 0.01" : value < 100 ? value.toFixed(2) : rounded(value);
}

if (import.meta.main) {
  for (const [name, part] of Object.entries(await scalePage())) console.log(`${name}\n\n${part}\n`);
}
