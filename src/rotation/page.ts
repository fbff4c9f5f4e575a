/**
 * The objects of one page, several at once. The ledger hears of them in the order of their keys, as far as all are done;
 * what lies beyond is done again by whoever goes on, and is found to be done.
 */
import { describeUnforeseen, logError } from "../log.ts";
import { storeError } from "../s3/store/fetch.ts";
import { type ListedObject, listObjects } from "../s3/store/list.ts";
import type { Job } from "./job.ts";
import { failed, type Outcome, rotateObject } from "./object.ts";
import { compareKeys } from "./order.ts";
import { GaveUp, isBusy, patiently } from "./patience.ts";
import type { PageEnd, PageRow } from "./state.ts";
import { Tally } from "./tally.ts";
import { olderVersions } from "./versions.ts";
import { scratchName } from "./ways.ts";

/** Begun so often without getting on, a page is taken object by object; and at last the next object is passed over. */
const CAREFUL_AFTER = 3;
const PASSED_OVER_AFTER = 10;

export interface PageHands {
  /**
   * Tells the ledger what is done, through this key; all of the page where there is none.
   *
   * @param older the key through which versions that are not current are counted, where some more are
   * @returns false where the lease is lost, or the rotation over: nobody is to go on
   */
  readonly done: (tally: Tally, through: string | undefined, older?: string) => Promise<boolean>;
  /** Told of every object that was touched. */
  readonly tell: (key: string, outcome: Outcome) => void;
  /** Whether somebody else is to go on with what is left. */
  readonly isEnough: () => boolean;
  /** Whether it is the store that fails, and not the object. */
  readonly isStoreDown: () => Promise<boolean>;
}

/** @throws {GaveUp} when the store is down: what is done is told before */
export async function rotatePage(
  job: Job,
  { prefix }: { readonly prefix: string },
  row: PageRow,
  hands: PageHands,
): Promise<PageEnd> {
  const walk = new Walk(job, row, hands);
  for (;;) {
    const { objects, isLast } = await nextObjects(job, prefix, walk.through, row.last);
    const end = await walk.take(objects);
    if (end !== undefined) return end;
    if (isLast) break;
  }
  const { end, tally } = await olderVersions(job, prefix, row, {
    tell: (news, older) => hands.done(news, walk.through, older),
    isEnough: hands.isEnough,
  });
  if (end !== "done") return end;
  return (await hands.done(tally, undefined)) ? "done" : "lost";
}

/** @param last the page's last key */
async function nextObjects(
  { store, limits, rotation }: Job,
  prefix: string,
  after: string,
  last: string | null,
): Promise<{ objects: readonly ListedObject[]; isLast: boolean }> {
  const { objects, cursor } = await patiently(limits, () => listAfter(store, prefix, after, limits.pageSize));
  const within = last === null ? objects : objects.filter(({ key }) => compareKeys(key, last) <= 0);
  const isReached = within.length < objects.length || (last !== null && within.at(-1)?.key === last);
  // Whoever was thought dead may still be looking what the store can do.
  const scratch = scratchName({ id: rotation, prefix });
  const theirs = within.filter(({ key }) => !key.startsWith(scratch));
  return { objects: theirs, isLast: cursor === undefined || isReached };
}

/** @throws {Refused} store-error where the store begins elsewhere: nobody would ever come to the end */
export async function listAfter(store: Job["store"], prefix: string, after: string, limit: number) {
  let listing = await listObjects(store, { prefix, startAfter: after, limit });
  // Stores may pass over what is deleted, page by page.
  while (listing.objects.length === 0 && listing.cursor !== undefined)
    listing = await listObjects(store, { prefix, cursor: listing.cursor, limit });
  const isAhead = listing.objects.every(({ key }, i) =>
    i === 0
      ? compareKeys(key, after) > 0 || after === ""
      : compareKeys(key, listing.objects[i - 1]?.key ?? "") > 0,
  );
  if (isAhead) return listing;
  throw storeError(
    { method: "ListObjectsV2", bucket: store.bucket },
    "a list out of order",
    "rotations need keys in the order of their UTF-8, and start-after",
  );
}

/** Goes through a page's objects, and tells the ledger how far. */
class Walk {
  /** The key up to which all is done, as the ledger knows it. */
  through: string;
  readonly #job: Job;
  readonly #hands: PageHands;
  readonly #isCareful: boolean;
  #passesOver: boolean;
  #hint: string;

  constructor(job: Job, { doneThrough, attempts }: PageRow, hands: PageHands) {
    this.through = doneThrough;
    this.#job = job;
    this.#hands = hands;
    this.#isCareful = attempts > CAREFUL_AFTER;
    this.#passesOver = attempts > PASSED_OVER_AFTER;
    this.#hint = job.from ?? job.target.id;
  }

  /** @returns undefined when all of them are done, and there may be more */
  async take(objects: readonly ListedObject[]): Promise<PageEnd | undefined> {
    const { limits, pace } = this.#job;
    const outcomes: (Outcome | undefined)[] = [];
    let next = 0;
    let told = 0;
    let running = 0;
    let failure: unknown;
    let wake: () => void = () => {};
    const work = async (index: number, object: ListedObject) => {
      try {
        outcomes[index] = await this.#rotate(object);
      } catch (error) {
        failure ??= error;
      } finally {
        running--;
        wake();
      }
    };
    let toldAt = Date.now();
    let isLost = false;
    for (;;) {
      const isEnough = failure !== undefined || this.#hands.isEnough();
      const width = this.#isCareful ? 1 : pace.width;
      while (!isEnough && running < width && next < objects.length) {
        running++;
        void work(next, objects[next] as ListedObject);
        next++;
      }
      const isOver = running === 0;
      let done = told;
      while (outcomes[done] !== undefined) done++;
      // Whose word is not taken any more has nothing to say: what they are at ends, and that is all.
      const isDue =
        !isLost &&
        (done - told >= (this.#isCareful ? 1 : limits.checkpointObjects) ||
          Date.now() - toldAt >= limits.checkpointEvery);
      if (isDue || (isOver && !isLost)) {
        const tally = new Tally();
        for (let i = told; i < done; i++) tally.add(objects[i] as ListedObject, outcomes[i] as Outcome);
        const through = done === 0 ? this.through : (objects[done - 1]?.key ?? this.through);
        // A word of nothing new is a sign of life.
        const isHeld = isOver && tally.isEmpty ? true : await this.#hands.done(tally, through);
        if (!isHeld) {
          isLost = true;
          failure ??= LOST;
        } else {
          told = done;
          this.through = through;
          toldAt = Date.now();
        }
      }
      if (isOver) break;
      // Meanwhile some may have ended.
      if (isDue) continue;
      const ended = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const timer = setTimeout(() => wake(), limits.checkpointEvery);
      await ended;
      clearTimeout(timer);
    }
    if (failure === LOST) return "lost";
    if (failure !== undefined) throw failure;
    return told === objects.length ? undefined : "later";
  }

  async #rotate(object: ListedObject): Promise<Outcome> {
    const { pace } = this.#job;
    if (this.#passesOver) {
      this.#passesOver = false;
      return failed("internal", "The service broke off at it, again and again.");
    }
    try {
      const outcome = await rotateObject(this.#job, object, this.#hint);
      pace.quicker();
      if (outcome.found !== undefined) this.#hint = outcome.found;
      this.#hands.tell(object.key, outcome);
      return outcome;
    } catch (error) {
      if (!(error instanceof GaveUp)) return this.#unforeseen(object.key, error);
      const { reason: code, message } = error.problem;
      const isTheirs = isBusy(error.problem) || code === "key-invalid";
      if (isTheirs || (await this.#hands.isStoreDown())) throw error;
      const outcome = failed(code, message);
      this.#hands.tell(object.key, outcome);
      return outcome;
    }
  }

  /** One object holds up no others, whatever is wrong with it. */
  #unforeseen(key: string, error: unknown): Outcome {
    const { message, stack } = describeUnforeseen(error);
    logError({ code: "internal", message: `the rotation of ${JSON.stringify(key)}: ${message}`, stack });
    const outcome = failed("internal", UNFORESEEN);
    this.#hands.tell(key, outcome);
    return outcome;
  }
}

const UNFORESEEN = "Something went wrong in the service; its log knows this object by its key.";
const LOST = new Error("the lease is lost, or the rotation over");
