/** A rotation of any size: counts of the engine itself, its limits, and times that are assumed. */
import { PRICES } from "../../src/cli/rotate/prices.ts";
import { CONCURRENCY } from "../../src/rotation/large.ts";
import { LIMITS, LOG_LINE } from "../../src/rotation/limits.ts";
import { choosePartSize, partCountOf } from "../../src/s3/api/plan.ts";
import { type Count, count, minus, plus, times, type Way } from "./count.ts";

/** What the platform gives. @see https://developers.cloudflare.com/queues/platform/limits/ */
export const PLATFORM = {
  consumers: 250,
  /** Of one invocation. */
  connections: 6,
  subrequests: 10_000,
  queries: 1000,
  wall: 900,
  cpu: 30,
  /** Of a database, bytes. */
  database: 10e9,
};

/** What is assumed of the store and the way to it. */
export const ASSUMED = {
  /** Characters. */
  key: 40,
  /** Until the answer to a small request, seconds. */
  read: 0.02,
  write: 0.05,
  list: 0.2,
  /** Of D1, there and back. */
  statement: 0.005,
  /** Bytes a second that go through a connection, and that the store copies. */
  streamed: 50 * 2 ** 20,
  copied: 200 * 2 ** 20,
  /** Of our CPU, for a request: seconds. */
  cpu: 0.001,
  /** Writes that a store takes: AWS's figure for a prefix. */
  writesPerSecond: 3500,
};

/** Objects in a run that counts, and in what it takes as a checkpoint. */
const FEW = 20;

interface Units {
  readonly start: Count;
  readonly object: Count;
  readonly checkpoint: Count;
  readonly message: Count;
  readonly page: Count;
}

const counted = new Map<Way, Promise<Units>>();

/** What each of them adds; counted once. */
export function units(way: Way): Promise<Units> {
  const known = counted.get(way) ?? countUnits(way);
  counted.set(way, known);
  return known;
}

async function countUnits(way: Way): Promise<Units> {
  const pace = { concurrency: 1, maxConcurrency: 1, checkpointObjects: FEW };
  const one = await count(way, FEW, 10, pace);
  const two = await count(way, 2 * FEW, 10, pace);
  const log = FEW * (LOG_LINE + NAME);
  const message = minus(await count(way, 2 * FEW, 10, { ...pace, log }), two);
  const page = minus(await count(way, 2 * FEW, 10, { ...pace, pageSize: FEW }), two);
  const more = minus(two, one);
  const nothing = times(one, 0);
  // Only objects ask the store for anything, and only checkpoints the ledger.
  const object = { ...nothing, reads: more.reads / FEW, writes: more.writes / FEW };
  const checkpoint = { ...nothing, statements: more.statements, rows: more.rows };
  const start = minus(minus(minus(one, page), checkpoint), times(object, FEW));
  return { start, object, checkpoint, message, page };
}
/** Characters of a name in a run that counts. */
const NAME = 9;

export interface Simulated {
  readonly objects: number;
  readonly bytes: number;
  readonly count: Count;
  /** Seconds, by how many consumers there are at once. */
  readonly list: number;
  readonly work: (consumers: number) => number;
  /** The largest message: what it takes of the platform's limits. */
  readonly largest: {
    readonly subrequests: number;
    readonly queries: number;
    readonly seconds: number;
    readonly cpu: number;
  };
  /** What the ledger holds at most, bytes. */
  readonly ledger: number;
}

/** Objects that are rotated as a whole. @param bytes of each */
export async function small(way: Way, objects: number, bytes: number): Promise<Simulated> {
  const unit = await units(way);
  const { pageSize, log, maxConcurrency, checkpointObjects, checkpointEvery, listedPages } = LIMITS;
  const pages = Math.ceil(objects / pageSize);
  const aPage = Math.min(objects, pageSize);
  const aMessage = Math.min(aPage, Math.ceil(log / (ASSUMED.key + LOG_LINE)));
  const messages = Math.ceil(aPage / aMessage);
  const { reads, writes } = unit.object;
  const transfer = way === "streamed" ? (2 * bytes) / ASSUMED.streamed : bytes / ASSUMED.copied;
  const anObject =
    (reads * ASSUMED.read + writes * ASSUMED.write + transfer) /
    Math.min(maxConcurrency, PLATFORM.connections);
  const seconds = aMessage * anObject;
  const checkpoints = Math.max(aMessage / checkpointObjects, seconds / (checkpointEvery / 1000));
  const total = [
    unit.start,
    times(unit.object, objects),
    times(unit.page, pages),
    times(unit.message, pages * (messages - 1)),
    times(unit.checkpoint, pages * messages * checkpoints),
  ].reduce(plus);
  const listing = minus(unit.page, unit.message);
  return {
    objects,
    bytes: objects * bytes,
    count: total,
    list: pages * (ASSUMED.list + listing.statements * ASSUMED.statement),
    work: (consumers) =>
      Math.max((objects * anObject) / consumers, (objects * writes) / ASSUMED.writesPerSecond),
    largest: {
      subrequests: Math.max(
        aMessage * (reads + writes),
        Math.min(pages, listedPages) * (1 + listing.statements + 1),
      ),
      queries: Math.max(
        unit.message.statements + checkpoints * unit.checkpoint.statements,
        Math.min(pages, listedPages) * listing.statements,
      ),
      seconds: Math.max(
        seconds,
        Math.min(pages, listedPages) * (ASSUMED.list + listing.statements * ASSUMED.statement),
      ),
      cpu: aMessage * (reads + writes) * ASSUMED.cpu,
    },
    ledger: pages * (3 * ASSUMED.key + ROW),
  };
}
/** Of a row of the ledger with its indexes, beside the keys in it, bytes. */
const ROW = 300;

/** Objects that go by parts. @param bytes of each */
export async function large(way: Way, objects: number, bytes: number): Promise<Simulated> {
  const partSize = (size: number) =>
    way === "copied" ? Math.max(choosePartSize(size), LIMITS.copiedPart) : choosePartSize(size);
  const partsOf = (size: number) => partCountOf(size, partSize(size));
  const least = (way === "copied" ? LIMITS.maxCopy : LIMITS.maxWhole) + 1;
  const more = least + 3 * partSize(least);
  const one = await count(way, 1, least);
  const another = await count(way, 1, more);
  const aPart = times(minus(another, one), 1 / (partsOf(more) - partsOf(least)));
  const { start, page } = await units(way);
  const seconds = way === "streamed" ? (2 * bytes) / ASSUMED.streamed : bytes / ASSUMED.copied;
  const anObject = seconds / CONCURRENCY;
  const extra = Math.max(0, partsOf(bytes) - partsOf(least));
  // Signs of life: of parts that are done, and of whoever waits for one. Where the store answers at once there are none.
  const { checkpointEvery, lease } = LIMITS;
  const signs =
    Math.min(partsOf(bytes), (1000 * anObject) / checkpointEvery) + (1000 * anObject) / (lease / 3);
  const sign = { ...times(one, 0), statements: 1, rows: ROWS_OF_SIGN };
  const each = [minus(minus(one, start), page), times(aPart, extra), times(sign, signs)].reduce(plus);
  const pages = Math.ceil(objects / LIMITS.pageSize);
  const inAMessage = Math.min(anObject, LIMITS.workFor / 1000);
  const share = inAMessage / anObject;
  return {
    objects,
    bytes: objects * bytes,
    count: [start, times(page, pages), times(each, objects)].reduce(plus),
    list: pages * ASSUMED.list,
    work: (consumers) => (objects * anObject) / consumers,
    largest: {
      subrequests: (each.reads + each.writes + each.statements) * share,
      queries: each.statements * share,
      seconds: inAMessage,
      cpu: (each.reads + each.writes) * share * ASSUMED.cpu,
    },
    ledger: objects * (3 * ASSUMED.key + 2 * ROW),
  };
}

/** A row of `rotation_objects`, and of the index that has its time. */
const ROWS_OF_SIGN = 2;

export interface Price {
  readonly platform: number;
  /** Of requests, at AWS's prices. */
  readonly store: number;
}

/** US dollars, beyond what is included. */
export function priceOf({ count: { reads, writes, messages, rows } }: Simulated): Price {
  const million = 1e6;
  const cpu = (reads + writes) * ASSUMED.cpu * 1000;
  return {
    // A message is written, read and deleted, and its invocation taken for a request.
    platform:
      (messages * (3 * PRICES.queue + PRICES.requests) + rows * PRICES.rows + cpu * PRICES.cpu) / million,
    store: (reads * PRICES.reads + writes * PRICES.writes) / million,
  };
}
