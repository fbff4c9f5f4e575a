/** What was aimed at, and what a run has reached. */
import { section } from "./markdown.ts";
import type { Results } from "./measure.ts";

interface Aim {
  readonly what: string;
  readonly reached: (results: Results) => number;
  readonly unit: "×" | " µs" | " KB";
  /** At least, or at most, this. */
  readonly atLeast?: number;
  readonly atMost?: number;
}

const OURS = "ssec-edge";
const MINIMAL = "minimal aws4fetch route";
const of = (figures: Readonly<Record<string, number>> | undefined, name: string) =>
  figures?.[name] ?? Number.NaN;
/** How many times what ours costs another does. */
const beside = (figures: Readonly<Record<string, number>> | undefined, other: string) =>
  of(figures, other) / of(figures, OURS);

const IN_WORKERD = "workerd, a key for each URL";
const FOR_ALL = "workerd, one key for all";

/** Requests a second of ours by those of another route. */
const ofServing =
  (other: string) =>
  ({ serving }: Results): number =>
    (serving[OURS]?.perSecond ?? Number.NaN) / (serving[other]?.perSecond ?? Number.NaN);

/** MiB a second through the gateway by those of another way. */
const ofGateway =
  (way: "down" | "up", other: string) =>
  ({ gateway: { [way]: speeds } }: Results): number =>
    of(speeds, "the gateway") / of(speeds, other);

/** rclone's time by ours, of the first of what was rotated in a store: small objects, nearby. */
function ofRclones({ rotating }: Results, isAt: (store: string) => boolean): number {
  const [first] = Object.values(rotating.find(({ store }) => isAt(store))?.seconds ?? {});
  const { ssec = Number.NaN, ...others } = first?.by ?? {};
  return Math.min(...Object.values(others)) / ssec;
}

/** The time of `ssec` by aws cli's. */
const ofAwsClis =
  (what: string) =>
  ({ moving: { seconds } }: Results): number => {
    const [, { ssec = Number.NaN, aws = Number.NaN } = {}] =
      Object.entries(seconds).find(([name]) => name.startsWith(what)) ?? [];
    return ssec / aws;
  };

const AIMS: readonly Aim[] = [
  {
    what: "signing in workerd, a key for each URL, beside aws4fetch",
    reached: ({ signing }) => beside(signing[IN_WORKERD], "aws4fetch"),
    unit: "×",
    atLeast: 8,
  },
  {
    what: "the same beside `getSignedUrl`",
    reached: ({ signing }) => beside(signing[IN_WORKERD], "getSignedUrl"),
    unit: "×",
    atLeast: 30,
  },
  {
    what: "signing in workerd, one key for all, beside aws4fetch",
    reached: ({ signing }) => beside(signing[FOR_ALL], "aws4fetch"),
    unit: "×",
    atLeast: 10,
  },
  {
    what: "signing in Node beside aws4fetch",
    reached: ({ signing }) => beside(signing["Node, a key for each URL"], "aws4fetch"),
    unit: "×",
    atLeast: 8,
  },
  {
    what: "`POST /v1/presign`, requests a second of the empty route's",
    reached: ofServing("empty Hono route"),
    unit: "×",
    atLeast: 0.55,
  },
  {
    what: "the same of the minimal aws4fetch route's",
    reached: ofServing(MINIMAL),
    unit: "×",
    atLeast: 1.4,
  },
  {
    what: "CPU a URL in a batch of 1000",
    reached: ({ batches }) => of(batches, "1000, one key"),
    unit: " µs",
    atMost: 10,
  },
  {
    what: "start to the first answer, of the minimal aws4fetch Worker's",
    reached: ({ starting }) => of(starting, OURS) / of(starting, MINIMAL),
    unit: "×",
    atMost: 1.5,
  },
  {
    what: "evaluated at start, and gzip",
    reached: ({ sizes }) =>
      (Object.entries(sizes).find(([name]) => name === "Worker: ours, at start")?.[1].gzip ?? Number.NaN) /
      1000,
    unit: " KB",
    atMost: 40,
  },
  {
    what: "edge transfer, MiB a second of the bare passthrough's",
    reached: ({ transferring }) =>
      of(transferring, "through the edge") / of(transferring, "bare passthrough"),
    unit: "×",
    atLeast: 0.9,
  },
  {
    what: "GET of 256 MiB through the S3 gateway, of the bare passthrough's",
    reached: ofGateway("down", "a bare passthrough"),
    unit: "×",
    atLeast: 0.9,
  },
  {
    what: "the same of the store's itself",
    reached: ofGateway("down", "the store itself"),
    unit: "×",
    atLeast: 0.8,
  },
  {
    what: "PUT of 256 MiB through the S3 gateway, of the bare passthrough's",
    reached: ofGateway("up", "a bare passthrough"),
    unit: "×",
    atLeast: 0.9,
  },
  {
    what: "the same of the store's itself",
    reached: ofGateway("up", "the store itself"),
    unit: "×",
    atLeast: 0.8,
  },
  {
    what: "GET of 1 KiB through the S3 gateway, CPU of `/v1/objects`'s",
    reached: ({ gateway: { small } }) => of(small, "the gateway") / of(small, "/v1/objects"),
    unit: "×",
    atMost: 1.5,
  },
  ...["put 256 MiB", "get 256 MiB", "put 500 files", "get 500 files"].map(
    (what): Aim => ({
      what: `\`ssec\`, ${what}, time of aws cli's`,
      reached: ofAwsClis(what),
      unit: "×",
      atMost: 0.9,
    }),
  ),
  {
    what: "rotation of small objects where the store copies, objects a second of rclone's",
    reached: (results) => ofRclones(results, (store) => store !== "Ceph"),
    unit: "×",
    atLeast: 3,
  },
  {
    what: "the same where they stream",
    reached: (results) => ofRclones(results, (store) => store === "Ceph"),
    unit: "×",
    atLeast: 1,
  },
];

/** What is missed stands in bold. */
export function aimsTable(results: Results): string {
  return section(
    ["what", "aim", "reached"],
    AIMS.map(({ what, reached, unit, atLeast, atMost }) => {
      const figure = reached(results);
      const aim = atLeast === undefined ? `at most ${atMost}${unit}` : `at least ${atLeast}${unit}`;
      if (Number.isNaN(figure)) return [what, aim, "not measured"];
      const isMet = figure >= (atLeast ?? -Infinity) && figure <= (atMost ?? Infinity);
      const text = `${figure.toFixed(figure < 10 ? 2 : 1)}${unit}`;
      return [what, aim, isMet ? text : `**${text}**`];
    }),
  );
}
