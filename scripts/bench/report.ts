/** The figures as a table in Markdown: for the terminal, and for docs/performance.md. */
import { aimsTable } from "./aims.ts";
import type { Gateway } from "./gateway.ts";
import { section } from "./markdown.ts";
import type { Results } from "./measure.ts";
import type { Moving } from "./moving.ts";
import type { Rotating } from "./rotation.ts";

/** A page with the figures of a run, and what was aimed at, between its marks. @throws where it has no marks */
export function withTable(page: string, results: Results): string {
  const isWritten = "written by npm run bench -- --update";
  return between(
    between(page, `figures: ${isWritten}`, table(results)),
    `aims: ${isWritten}`,
    aimsTable(results),
  );
}

function between(page: string, begin: string, text: string): string {
  const mark = `<!-- ${begin} -->`;
  const start = page.indexOf(mark);
  const end = page.indexOf("<!-- end -->", start);
  if (start < 0 || end < 0) throw new Error(`the page has no "${mark}" with an end`);
  return `${page.slice(0, start + mark.length)}\n\n${text}\n\n${page.slice(end)}`;
}

const ROTATION = /^\| rotation, .*(\n\|.*)*/m;

/** A page whose figures of rotations are these, and all others as they were. @throws where it has none */
export function withRotationTable(page: string, results: readonly Rotating[]): string {
  if (!ROTATION.test(page)) throw new Error("the page has no table of rotations");
  return page.replace(ROTATION, () => rotatingTable(results));
}

export function table({
  signing,
  serving,
  batches,
  starting,
  transferring,
  gateway,
  verifying,
  moving,
  rotating,
  sizes,
  machine,
}: Results): string {
  return [
    `${machine.cores} × ${machine.cpu}, Node ${machine.node}`,
    section(
      ["signing, µs a URL", ...Object.keys(signing)],
      Object.keys(Object.values(signing)[0] ?? {}).map((peer) => [
        peer,
        ...Object.values(signing).map((costs) => withRatio(costs[peer], costs["ssec-edge"])),
      ]),
    ),
    section(
      ["POST /v1/presign", "requests a second", "CPU µs a request", "MiB resident"],
      Object.entries(serving).map(([name, { perSecond, cpu, memory }]) => [
        name,
        perSecond.toFixed(0),
        cpu.toFixed(1),
        memory.toFixed(0),
      ]),
    ),
    section(["batch of", "CPU µs a URL"], rows(batches, 1)),
    startTable(starting),
    section(["download", "MiB a second"], rows(transferring, 0)),
    gatewayTable(gateway),
    verifyingTable(verifying),
    movingTable(moving),
    rotatingTable(rotating),
    section(
      ["bundle", "minified, KB", "and gzip, KB"],
      Object.entries(sizes).map(([name, { bytes, gzip }]) => [
        name,
        (bytes / 1000).toFixed(1),
        (gzip / 1000).toFixed(1),
      ]),
    ),
  ].join("\n\n");
}

/** How long a new instance takes, and how much longer than the least that a presigning Worker can be. */
export function startTable(milliseconds: Readonly<Record<string, number>>): string {
  const least = milliseconds["minimal aws4fetch route"] ?? Number.NaN;
  return section(
    ["start to the first answer", "ms", "of the minimal Worker"],
    Object.entries(milliseconds).map(([name, each]) => [
      name,
      each.toFixed(1),
      `${(each / least).toFixed(2)}×`,
    ]),
  );
}

/** `ssec` beside `aws s3 cp`. */
export function movingTable({ store, seconds }: Moving): string {
  return section(
    [`moving files, seconds (${store})`, "ssec", "aws s3 cp", "of its time"],
    Object.entries(seconds).map(([name, { ssec, aws }]) => [
      name,
      ssec.toFixed(2),
      aws?.toFixed(2) ?? "not installed",
      aws === undefined ? "" : `${(ssec / aws).toFixed(2)}×`,
    ]),
  );
}

/** A rotation beside rclone: objects a second where they are small, MiB a second where they are large. */
export function rotatingTable(results: readonly Rotating[]): string {
  const all = results.flatMap(({ store, seconds }) =>
    Object.entries(seconds).map(([what, figures]) => ({ store, what, ...figures })),
  );
  const contenders = Object.keys(all[0]?.by ?? {}) as (keyof (typeof all)[number]["by"])[];
  return section(
    ["rotation, objects and MiB a second", ...contenders, "of rclone's, at best"],
    all.map(({ store, what, objects, bytes, by }) => {
      const { ssec = Number.NaN, ...others } = by;
      const best = Math.min(...Object.values(others));
      const figures = contenders.map((name) => {
        const seconds = by[name] ?? Number.NaN;
        const perSecond = objects / seconds;
        return `${perSecond.toFixed(perSecond < 10 ? 1 : 0)}, ${(bytes / seconds / 2 ** 20).toFixed(1)}`;
      });
      const ratio = Number.isFinite(best) ? `${(best / ssec).toFixed(2)}×` : "not installed";
      return [`${what} (${store})`, ...figures, ratio];
    }),
  );
}

/** The gateway beside what is nearer to the store. */
export function gatewayTable({ up, down, small }: Gateway): string {
  const names = Object.keys(up);
  const large = section(
    ["one object, MiB a second", ...names, "of the passthrough", "of the store"],
    Object.entries({ GET: down, PUT: up }).map(([operation, speeds]) => {
      const [ours = Number.NaN, ...others] = names.map((name) => speeds[name] ?? Number.NaN);
      const ratios = others.map((other) => `${(ours / other).toFixed(2)}×`);
      return [operation, ...[ours, ...others].map((speed) => speed.toFixed(0)), ...ratios];
    }),
  );
  const first = small["/v1/objects"];
  const cost = Object.entries(small).map(([name, cost]) => [name, withRatio(cost, first)]);
  return `${large}\n\n${section(["GET of 1 KiB", "µs of CPU a request"], cost)}`;
}

/** The gateway's verification beside signers of others. */
export function verifyingTable(costs: Readonly<Record<string, number>>): string {
  const ours = costs["ssec-edge"];
  return section(
    ["verifying a signed GET", "µs of CPU a request"],
    Object.entries(costs).map(([name, cost]) => [name, withRatio(cost, ours)]),
  );
}

function rows(figures: Readonly<Record<string, number>>, digits: number): string[][] {
  return Object.entries(figures).map(([name, figure]) => [name, figure.toFixed(digits)]);
}

function withRatio(cost = Number.NaN, ours = Number.NaN): string {
  return cost === ours ? cost.toFixed(1) : `${cost.toFixed(1)} (${(cost / ours).toFixed(1)}×)`;
}
