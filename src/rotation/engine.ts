/**
 * What moves rotations on: one message, one piece of work. Nothing depends on a message: what is lost, late or doubled is
 * made good by the ledger, which knows what is open and who is at it.
 */
import { v7 as uuidv7 } from "uuid";
import type { Bucket, Config } from "../config/load.ts";
import type { Secrets } from "../config/secrets.ts";
import { type CustomerKey, CustomerKeyError } from "../keys/customer-key.ts";
import type { KeyRing, KeyRule } from "../keys/ring.ts";
import { describeUnforeseen, logError } from "../log.ts";
import { Refused } from "../refused.ts";
import { S3Bucket } from "../s3/store/client.ts";
import { credentialsOf } from "../s3/store/credentials.ts";
import { listObjects } from "../s3/store/list.ts";
import { listVersions } from "../s3/store/list-versions.ts";
import type { Transport } from "../s3/store/transport.ts";
import type { Job, MakePipe } from "./job.ts";
import { rotateLarge } from "./large.ts";
import type { Lease, Ledger, Times, Work } from "./ledger.ts";
import { LIMITS, type Limits, LOG_LINE, RESUMABLE } from "./limits.ts";
import { type Message, messageOf, type Sender } from "./messages.ts";
import type { Outcome } from "./object.ts";
import { Pace, sleep } from "./pace.ts";
import { listAfter, rotatePage } from "./page.ts";
import { GaveUp, isBusy, isPassing, patiently } from "./patience.ts";
import { placeOf } from "./place.ts";
import type { Rotation, Ways } from "./state.ts";
import { Tally } from "./tally.ts";
import { abort } from "./upload.ts";
import { findWays, scratchName } from "./ways.ts";

/** What is told of a rotation while it goes on. */
export interface Teller {
  /** An object that was touched, or was to be. */
  object(rotation: Rotation, key: string, outcome: Outcome): void;
  /** A page, a large object, the end. */
  event(
    rotation: Rotation,
    event: {
      readonly operation: string;
      readonly counts?: Readonly<Record<string, number>>;
      readonly code?: string;
    },
  ): Promise<void>;
}

export interface EngineOptions {
  readonly config: Pick<Config, "buckets">;
  readonly ring: KeyRing;
  readonly secrets: Secrets;
  readonly ledger: Ledger;
  readonly queue: Sender;
  readonly teller: Teller;
  readonly limits?: Partial<Limits>;
  readonly pipe?: MakePipe | undefined;
  /** What carries requests to stores, where it is not fetch. */
  readonly transport?: Transport | undefined;
}

export interface Request {
  readonly bucket: Bucket;
  readonly prefix: string;
  readonly from: KeyRule | undefined;
  readonly to: KeyRule;
  readonly dryRun: boolean;
  /** Whether what lies in the clear is encrypted as well; no unless said. */
  readonly encryptPlain?: boolean;
  /** Whether versions that are not current are copied onto new ones, and removed once they are; no unless said. */
  readonly versions?: boolean;
  readonly removeVersions?: boolean;
  readonly caller: string;
}

/** Somebody else has taken over, or the rotation is over. */
class Lost extends Error {}

/** What the rotation was begun for is not there any more: it does not go on by itself. */
class Ended extends Error {}

export class Engine {
  readonly #options: EngineOptions;
  readonly limits: Limits;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.limits = { ...LIMITS, ...options.limits };
  }

  /**
   * Begins a rotation.
   *
   * @throws {Refused} conflict when another runs in the same bucket; {CustomerKeyError} when the target cannot be used
   */
  async start(request: Request): Promise<Rotation> {
    const { bucket, prefix, from, to, dryRun, encryptPlain, versions, removeVersions, caller } = request;
    const { ledger } = this.#options;
    const now = Date.now();
    const id = uuidv7({ msecs: now });
    const toCheck = (await this.#checkKey(bucket, to, id)).md5;
    const isFirst = await ledger.start({
      id,
      bucket: bucket.name,
      place: placeOf(bucket),
      prefix,
      fromKey: from?.id ?? null,
      toKey: to.id,
      toCheck,
      keyIds: JSON.stringify(bucket.keys.map((rule) => rule.id)),
      dryRun: dryRun ? 1 : 0,
      encryptPlain: encryptPlain ? 1 : 0,
      versions: versions ? 1 : 0,
      removeVersions: removeVersions ? 1 : 0,
      caller,
      startedAt: now,
    });
    if (!isFirst)
      throw new Refused("conflict", "A rotation of this bucket is running: wait for it, or cancel it.");
    const rotation = await ledger.find(id);
    if (rotation === undefined) throw new Error("a rotation that was begun is not in the ledger");
    await this.sweep(rotation);
    return rotation;
  }

  /** What is sent again, where it is lost, and goes on after a pause: as often as anybody likes. */
  async sweep(rotation: Rotation): Promise<void> {
    if (rotation.state === "cancelled") return this.#endUploads(rotation);
    if (rotation.state !== "running") return;
    const { ledger } = this.#options;
    await this.#dispatch(rotation);
    const now = Date.now();
    const wait = Math.max(this.limits.resend, rotation.pausedUntil - now);
    if (await ledger.claimSweep(rotation.id, { now, until: now + wait }))
      await this.#send({ kind: "sweep", rotation: rotation.id }, wait + 1000);
  }

  /** @returns false when it is over already */
  async cancel(rotation: Rotation): Promise<boolean> {
    const { ledger } = this.#options;
    const isCancelled = await ledger.end(rotation.id, "cancelled", { now: Date.now() });
    await this.#endUploads(rotation);
    return isCancelled;
  }

  /** What the store keeps of the parts of what is over costs. */
  async #endUploads({ id }: Rotation): Promise<void> {
    for (const number of await this.#options.ledger.abandoned(id))
      await this.#send({ kind: "object", rotation: id, number });
  }

  /**
   * One that failed or was cancelled goes on where it stopped; one that waits goes on now.
   *
   * @throws {Refused} conflict when it is done, or another runs in its place
   */
  async resume({ id }: Rotation): Promise<void> {
    const { ledger } = this.#options;
    const before = await ledger.find(id);
    if (before?.state === "running") await ledger.unpause(id);
    else if (!(await ledger.resume(id, Date.now() - RESUMABLE))) throw notResumable(before);
    const now = await ledger.find(id);
    if (now === undefined) return;
    await this.sweep(now);
  }

  /** Removes what is open of rotations that nobody can go on with any more, a bounded piece; the rest when it is called next. */
  async forget(now: number): Promise<void> {
    for (let piece = 0; piece < MAX_PIECES; piece++)
      if (!(await this.#options.ledger.forgetOpen(now - RESUMABLE, PIECE))) return;
  }

  /**
   * One message.
   *
   * @throws whatever the ledger throws, or what nobody foresaw: it is to come again
   */
  async handle(body: unknown): Promise<void> {
    const message = messageOf(body);
    if (message === undefined)
      return logError({
        code: "internal",
        message: "a message in the queue of rotations is none, and was dropped",
      });
    const { ledger } = this.#options;
    const rotation = await ledger.find(message.rotation);
    if (rotation === undefined) return;
    if (rotation.state !== "running") {
      if (message.kind === "object") await this.#endUpload(rotation, message);
      return;
    }
    if (message.kind === "sweep") return this.sweep(rotation);
    if (rotation.pausedUntil > Date.now()) return;
    try {
      await this.#work(rotation, message);
    } catch (error) {
      await this.#stop(rotation, error);
    }
    await this.#endIfDone(rotation);
  }

  /**
   * A message that has failed again and again. What it was about is named, and begun anew when its time has come.
   *
   * @throws whatever the ledger throws: it is to come again
   */
  async revive(body: unknown): Promise<void> {
    const message = messageOf(body);
    const { ledger } = this.#options;
    const rotation = message && (await ledger.find(message.rotation));
    if (message === undefined || rotation?.state !== "running") return;
    const what = nameOfWork(message);
    await ledger.note(rotation.id, `The service failed at ${what} again and again; it tries anew.`);
    logError({
      code: "internal",
      message: `${what} of the rotation ${rotation.id} of ${rotation.bucket} failed again and again, and is begun anew`,
    });
    await this.sweep(rotation);
  }

  async #work(rotation: Rotation, work: Work): Promise<void> {
    const { store, target } = await this.#placeOf(rotation);
    if (work.kind === "list") return this.#list(rotation, store, target, work);
    // Only what was listed is worked on, and nothing is listed before.
    if (rotation.ways === null) return;
    const ids: string[] = JSON.parse(rotation.keyIds);
    const job: Job = {
      rotation: rotation.id,
      bucket: store.bucket,
      store,
      ring: this.#options.ring,
      target,
      from: rotation.fromKey ?? undefined,
      missing: ids.find((id) => !store.bucket.keys.some((rule) => rule.id === id)),
      dryRun: rotation.dryRun === 1,
      encryptPlain: rotation.encryptPlain === 1,
      versions: rotation.versions === 1,
      removeVersions: rotation.removeVersions === 1,
      ways: JSON.parse(rotation.ways),
      limits: this.limits,
      pace: new Pace(this.limits.concurrency, this.limits.maxConcurrency),
      pipe: this.#options.pipe,
    };
    return work.kind === "page" ? this.#page(rotation, job, work) : this.#object(rotation, job, work);
  }

  /** A store that is down, or credentials that have expired: it waits, and goes on by itself. */
  async #stop(rotation: Rotation, error: unknown): Promise<void> {
    const { ledger, teller } = this.#options;
    const { id } = rotation;
    if (error instanceof Lost) return;
    const now = Date.now();
    if (error instanceof Ended) {
      if (await ledger.end(id, "failed", { now, reason: error.message })) {
        logError({
          code: "conflict",
          message: `the rotation ${id} of ${rotation.bucket} failed: ${error.message}`,
        });
        await teller.event(rotation, { operation: "EndRotation", code: "conflict" });
      }
      return;
    }
    const problem = error instanceof GaveUp ? error.problem : error;
    if (!(problem instanceof Refused)) throw error;
    const wait = Math.min(this.limits.maxPause, this.limits.pause * 2 ** Math.min(rotation.pauses, 10));
    await ledger.pause(id, problem.message, { now, until: now + wait });
    logError({
      code: problem.reason,
      message: `the rotation ${id} of ${rotation.bucket} waits: ${problem.operator ?? problem.message}`,
    });
    const paused = await ledger.find(id);
    if (paused)
      await this.#send({ kind: "sweep", rotation: id }, Math.max(0, paused.pausedUntil - now) + 1000);
  }

  /** Where it works and to which key, as the configuration is now. */
  async #placeOf(rotation: Rotation): Promise<{ store: S3Bucket; target: KeyRule }> {
    const { config } = this.#options;
    const bucket = config.buckets.get(rotation.bucket);
    if (bucket === undefined) throw new Ended(`There is no bucket "${rotation.bucket}" any more.`);
    // Half of what was seen would be in one bucket, half in another.
    if (placeOf(bucket) !== rotation.place)
      throw new Ended(`The bucket "${rotation.bucket}" lies elsewhere than when the rotation began.`);
    const target = bucket.keys.find(({ id }) => id === rotation.toKey);
    if (target === undefined) throw new Ended(`"${rotation.toKey}" is none of the bucket's keys any more.`);
    const check = await this.#checkKey(bucket, target, rotation.id).catch((error: unknown) => {
      if (!(error instanceof CustomerKeyError)) throw error;
      throw new Refused("key-invalid", `The key "${target.id}" cannot be used.`, {
        operator: `KEYS.${target.id}: ${error.message}`,
      });
    });
    // Half of the objects would be under one secret, half under another, and one of the two is lost soon.
    if (check.md5 !== rotation.toCheck)
      throw new Ended(`The secret of the key "${target.id}" is another than when the rotation began.`);
    return { store: await this.#open(bucket), target };
  }

  async #open(bucket: Bucket): Promise<S3Bucket> {
    const { secrets, transport } = this.#options;
    return new S3Bucket(bucket, await credentialsOf(bucket.store, secrets), transport);
  }

  /** A dry run writes nothing, and so finds out by reading alone what it needs to know. */
  async #findWays(rotation: Rotation, store: S3Bucket, target: KeyRule): Promise<void> {
    const { limits } = this;
    const name = scratchName(rotation);
    const tried = rotation.dryRun === 1 ? NOTHING_KNOWN : await this.#tryOut(store, target, name);
    // A bucket that keeps none at present may have kept some before.
    const has = tried.keepsVersions || (await patiently(limits, () => isVersioned(store)));
    const ways: Ways = { ...tried, isVersioned: has === true, hidesVersions: has === undefined };
    await this.#options.ledger.setWays(rotation.id, JSON.stringify(ways));
  }

  async #tryOut(store: S3Bucket, target: KeyRule, name: string): Promise<Ways> {
    const { limits } = this;
    // Of whoever was killed while they looked: with its versions, which would be under a key that nobody has.
    const remove = async (key: string, version: { versionId?: string } = {}) => {
      const query = { "x-id": "DeleteObject", ...version };
      await patiently(limits, () =>
        store.run({ name: "DeleteObject", method: "DELETE", key, query }, undefined),
      );
    };
    const left = async () =>
      (await patiently(limits, () => listObjects(store, { prefix: name, limit: 1000 }))).objects;
    if ((await left()).length > 0) {
      await unlessRefused(async () => {
        for await (const { key, versionId } of listVersions(store, { prefix: name, after: "" }))
          await remove(key, { versionId });
        return true;
      });
      for (const { key } of await left()) await remove(key);
    }
    const key = `${name}-${crypto.randomUUID().slice(0, 8)}`;
    return findWays(store, key, await this.#keyFor(store.bucket, target, key), limits);
  }

  /** Of a root it is that of a name that no object has. */
  #checkKey(bucket: Bucket, rule: KeyRule, id: string): Promise<CustomerKey> {
    return this.#keyFor(bucket, rule, `rotation ${id}`);
  }

  async #keyFor({ storeBucket }: Bucket, rule: KeyRule, key: string): Promise<CustomerKey> {
    return this.#options.ring.keyFor(rule, { storeBucket, key });
  }

  #lease(work: Work): Lease {
    return { work, token: crypto.randomUUID() };
  }

  /** Signs of life, while something takes longer than a lease lasts. */
  #beat(lease: Lease): ReturnType<typeof setInterval> {
    return setInterval(() => {
      this.#options.ledger.renew(lease, this.#times()).catch(() => {});
    }, this.limits.lease / 3);
  }

  #times(now = Date.now()): Times {
    return { now, until: now + this.limits.lease };
  }

  async #list({ id, prefix }: Rotation, store: S3Bucket, target: KeyRule, work: Work): Promise<void> {
    const { ledger } = this.#options;
    const lease = this.#lease(work);
    const rotation = await ledger.takeList(lease, this.#times());
    if (rotation === undefined) return;
    const until = Date.now() + this.limits.workFor;
    let { cursor, pages } = rotation;
    const enough = pages + this.limits.listedPages;
    const beat = this.#beat(lease);
    try {
      if (rotation.ways === null) await this.#findWays(rotation, store, target);
      for (;;) {
        const after = cursor ?? "";
        const { objects, cursor: more } = await patiently(this.limits, () =>
          listAfter(store, prefix, after, this.limits.pageSize),
        );
        const last = more === undefined ? null : (objects.at(-1)?.key ?? cursor);
        const bytes = objects.reduce((sum, { size }) => sum + size, 0);
        const page = { number: pages, after, last, objects: objects.length, bytes };
        if (!(await this.#told(() => ledger.listed(lease, page, this.#times())))) throw new Lost();
        pages++;
        await this.#dispatch(rotation);
        if (last === null) return;
        cursor = last;
        if (pages >= enough || Date.now() >= until) break;
      }
    } finally {
      clearInterval(beat);
      await ledger.release(lease).catch(() => {});
    }
    await this.#send({ kind: "list", rotation: id });
  }

  async #page(rotation: Rotation, job: Job, work: Work & { kind: "page" }): Promise<void> {
    const { ledger, teller } = this.#options;
    const lease = this.#lease(work);
    const row = await ledger.takePage(lease, this.#times());
    if (row === undefined) return;
    const until = Date.now() + this.limits.workFor;
    const sum: Record<string, number> = {};
    let logged = 0;
    // An object's versions are not given up in the midst: what is current would be another.
    const beat = job.versions ? this.#beat(lease) : undefined;
    const end = await rotatePage(job, rotation, row, {
      done: async (tally, through, older) => {
        const isTold = await this.#told(() => ledger.pageDone(lease, tally, through, this.#times(), older));
        if (isTold) for (const [name, n] of Object.entries(tally.counts)) sum[name] = (sum[name] ?? 0) + n;
        return isTold;
      },
      tell: (key, outcome) => {
        if (outcome.result === "skipped" || outcome.result === "large") return;
        logged += key.length + LOG_LINE;
        teller.object(rotation, key, outcome);
      },
      isEnough: () => logged >= this.limits.log || Date.now() >= until,
      isStoreDown: () => isDown(job.store),
    }).finally(async () => {
      clearInterval(beat);
      await ledger.release(lease).catch(() => {});
    });
    if (Object.keys(sum).length > 0)
      await teller.event(rotation, { operation: "RotateObjects", counts: sum });
    if (end !== "lost") await this.#dispatch(rotation);
  }

  async #object(rotation: Rotation, job: Job, work: Work & { kind: "object" }): Promise<void> {
    const { ledger, teller } = this.#options;
    const lease = this.#lease(work);
    const row = await ledger.takeObject(lease, this.#times());
    if (row === undefined) return;
    const until = Date.now() + this.limits.workFor;
    const alive = async () => {
      if (!(await this.#told(() => ledger.partDone(lease, this.#times())))) throw new Lost();
    };
    // A part may take a fraction of a second, and there may be thousands: not each has a row written.
    let toldAt = 0;
    const partDone = async () => {
      if (Date.now() - toldAt < this.limits.checkpointEvery) return;
      toldAt = Date.now();
      await alive();
    };
    const beat = this.#beat(lease);
    try {
      const failure = (code: string, detail: string): Outcome => {
        const { fromKey } = row;
        return { result: "failed", found: fromKey, left: fromKey, bytes: 0, failure: { code, detail } };
      };
      const rotate = () =>
        rotateLarge(job, row, {
          note: async (upload) => {
            if (!(await this.#told(() => ledger.uploadIs(lease, upload)))) throw new Lost();
          },
          partDone,
          alive,
          isTimeUp: () => Date.now() >= until,
        });
      const outcome =
        row.attempts > MAX_ATTEMPTS
          ? failure("internal", "The service broke off at it, again and again.")
          : await rotate().catch(async (error: unknown) => {
              if (!(error instanceof GaveUp) || !isPoison(error.problem) || (await isDown(job.store)))
                throw error;
              return failure(error.problem.reason, error.problem.message);
            });
      if (outcome !== undefined) {
        const tally = new Tally();
        tally.add(row, outcome);
        if (!(await this.#told(() => ledger.objectDone(lease, tally, this.#times())))) throw new Lost();
        teller.object(rotation, row.key, outcome);
        await teller.event(rotation, { operation: "RotateObjects", counts: tally.counts });
      }
    } finally {
      clearInterval(beat);
      await ledger.release(lease).catch(() => {});
    }
    await this.#dispatch(rotation);
  }

  /** Of a rotation that was cancelled, or has failed. */
  async #endUpload(rotation: Rotation, work: Work & { kind: "object" }): Promise<void> {
    const { ledger, config } = this.#options;
    const bucket = config.buckets.get(rotation.bucket);
    if (bucket === undefined || placeOf(bucket) !== rotation.place) return;
    const lease = this.#lease(work);
    const row = await ledger.takeObject(lease, this.#times());
    if (row === undefined) {
      // Somebody is at it, who does not know yet that it is over; or has died.
      const isOpen = (await ledger.abandoned(rotation.id)).includes(work.number);
      if (isOpen) await this.#send(work, this.limits.lease);
      return;
    }
    try {
      if (row.uploadId === null) return;
      const store = await this.#open(bucket);
      await abort({ store, key: row.key }, row.uploadId);
      await ledger.uploadIs(lease, { uploadId: null, etag: null });
    } finally {
      await ledger.release(lease).catch(() => {});
    }
  }

  /** Sends what there is room for. */
  async #dispatch({ id }: Rotation): Promise<void> {
    const { ledger } = this.#options;
    const now = Date.now();
    const current = await ledger.find(id);
    if (current === undefined || current.state !== "running" || current.pausedUntil > now) return;
    const { resend, window } = this.limits;
    const { list, pages, objects } = await ledger.due(id, { now, resend, window });
    if (list) await this.#send({ kind: "list", rotation: id });
    for (const page of pages) await this.#send({ kind: "page", rotation: id, page });
    for (const number of objects) await this.#send({ kind: "object", rotation: id, number });
  }

  async #endIfDone(rotation: Rotation): Promise<void> {
    const { ledger, teller } = this.#options;
    if (!(await ledger.endIfDone(rotation.id, Date.now()))) return;
    await teller.event(rotation, { operation: "EndRotation", counts: await ledger.counts(rotation.id) });
  }

  /** What is not sent is sent when somebody sweeps. */
  async #send(message: Message, delay?: number): Promise<void> {
    try {
      await this.#options.queue.send(message, delay);
    } catch (error) {
      const { message: why } = describeUnforeseen(error);
      logError({
        code: "unavailable",
        message: `a message of a rotation was not sent, and will be later: ${why}`,
      });
    }
  }

  /** Work that is done is not to be forgotten because the database fails for a moment. */
  async #told<T>(tell: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await tell();
      } catch (error) {
        if (attempt === 4) throw error;
        await sleep(this.limits.backoff * 4 ** (attempt - 1));
      }
    }
  }
}

function notResumable(rotation: Rotation | undefined): Refused {
  const isOld = (rotation?.endedAt ?? Number.POSITIVE_INFINITY) < Date.now() - RESUMABLE;
  const why = isOld ? "too long over" : "done";
  return new Refused(
    "conflict",
    isOld || rotation?.state === "done"
      ? `The rotation is ${why}: begin another.`
      : "Another rotation of this bucket is running: wait for it, or cancel it.",
  );
}

function nameOfWork(message: Message): string {
  switch (message.kind) {
    case "list":
      return "the list";
    case "sweep":
      return "the look for what was lost";
    case "page":
      return `page ${message.page}`;
    case "object":
      return `large object ${message.number}`;
  }
}

/** Rows removed by one statement, which keeps the database answering meanwhile; and such statements of one call. */
const PIECE = 5_000;
const MAX_PIECES = 100;

/** How often a large object is begun that does not get on. */
const MAX_ATTEMPTS = 10;

const NOTHING_KNOWN: Ways = {
  copies: true,
  copiesParts: true,
  ifSourceMatch: undefined,
  ifMatchOfCopy: undefined,
  ifMatchOfPut: undefined,
  ifMatchOfComplete: undefined,
  hasAcls: false,
  isVersioned: false,
  keepsVersions: false,
};

/** Undefined where these credentials may see neither that nor the versions. */
async function isVersioned(store: S3Bucket): Promise<boolean | undefined> {
  const request = { name: "GetBucketVersioning", method: "GET", query: { versioning: "" } };
  const said = await unlessRefused(async () => {
    const { element } = await store.run(request, "VersioningConfiguration");
    return "Status" in element;
  });
  if (said !== "forbidden") return said;
  // A list of versions tells of what is current as well, where there are none.
  const listed = await unlessRefused(async () => {
    await listVersions(store, { prefix: "", after: "" }).next();
    return true;
  });
  return listed === "forbidden" ? undefined : listed;
}

/** @returns false where the store knows of no such thing */
async function unlessRefused(ask: () => Promise<boolean>): Promise<boolean | "forbidden"> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { storeCode = "" } = error;
    if (["AccessDenied", "403"].includes(storeCode)) return "forbidden";
    if (!isPassing(error) || /^40\d$/.test(storeCode)) return false;
    throw error;
  }
}

/** Whether the store answers nothing at all, asked for something that has nothing to do with an object. */
async function isDown(store: S3Bucket): Promise<boolean> {
  try {
    await listObjects(store, { prefix: "", limit: 1 });
    return false;
  } catch {
    return true;
  }
}

/** Too much at once is nobody's fault, and a key that cannot be used not the object's. */
function isPoison(problem: Refused): boolean {
  return isPassing(problem) && !isBusy(problem);
}
