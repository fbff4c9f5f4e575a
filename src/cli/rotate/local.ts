/**
 * The engine of rotations in this process, for stores that the Worker cannot reach: its ledger is a file beside the
 * configuration. Killed at any time and begun again, it goes on.
 */
import { appendFileSync } from "node:fs";
import type { Bucket, Config } from "../../config/load.ts";
import type { Secrets } from "../../config/secrets.ts";
import { CustomerKeyError } from "../../keys/customer-key.ts";
import { reportOf as keyReportOf } from "../../keys/report.ts";
import { KeyRing } from "../../keys/ring.ts";
import { output } from "../../log.ts";
import { Engine, type Teller } from "../../rotation/engine.ts";
import { Ledger } from "../../rotation/ledger.ts";
import type { Limits } from "../../rotation/limits.ts";
import { objectLine } from "../../rotation/line.ts";
import { knownOf, neededBy, type ReportedKey } from "../../rotation/needed.ts";
import { directionOf } from "../../rotation/plan.ts";
import { type Rotation, type RotationReport, reportOf } from "../../rotation/state.ts";
import { uploadLives } from "../../rotation/written.ts";
import { byNode } from "../node-transport.ts";
import type { SqliteDatabase } from "../sqlite-database.ts";
import { nextCommand, printable } from "../terminal.ts";
import { bucketOf, readWorker, type Where } from "../worker.ts";
import { fixedLength } from "./fixed-length.ts";
import { holdLedger, type LocalFiles, localFiles, makeLedger, openLedger } from "./local-ledger.ts";
import { LocalQueue } from "./local-queue.ts";
import type { ErrorsPage, Purpose, Rotations, Wanted } from "./rotations.ts";

/**
 * One process does what many instances of the Worker do, and has no six connections: from 10 ms away 32 at once rotate a
 * third more objects a second than six which become more. Beside a Ceph that is as near as can be it is a tenth fewer.
 */
export const LIMITS: Partial<Limits> = { window: 4, concurrency: 32, maxConcurrency: 32 };

/** Of errors in a report, and of a page of all of them. */
const FIRST_ERRORS = 100;
const PAGE = 1000;
/** Who begins what is begun here, in the ledger. */
const CALLER = "local";

interface Parts {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly database: SqliteDatabase;
  readonly files: LocalFiles;
  readonly release: (() => void) | undefined;
}

export class LocalRotations implements Rotations {
  readonly flags = ["--local"];
  readonly goesOn = false;
  readonly #parts: Parts;
  readonly #ledger: Ledger;
  readonly #queue = new LocalQueue();
  readonly #engine: Engine;
  readonly #ring: KeyRing;
  /** Whether what is looked at goes on. */
  #works = false;

  /** @throws when another process is at work on the same ledger; {ConfigError} */
  static async open(where: Where, purpose: Purpose): Promise<LocalRotations> {
    const { config, secrets } = await readWorker(where);
    const files = localFiles(where);
    if (purpose === "look")
      return new LocalRotations({
        config,
        secrets,
        database: openLedger(files),
        files,
        release: undefined,
      });
    const database = makeLedger(files);
    const release = holdLedger(files);
    if (purpose === "work" && release === undefined) {
      database.close();
      throw new Error(
        `another process rotates by ${printable(files.ledger)}: ${nextCommand("rotate", "BUCKET", "--local", "--status")} shows how far it is`,
      );
    }
    output.error = (line) => appendFileSync(files.log, `${line}\n`);
    const rotations = new LocalRotations({ config, secrets, database, files, release });
    if (release !== undefined) await rotations.#takeOver(purpose);
    return rotations;
  }

  private constructor(parts: Parts) {
    const { config, secrets, database, files } = parts;
    this.#parts = parts;
    this.#ledger = new Ledger(database);
    this.#ring = new KeyRing(secrets.read);
    this.#engine = new Engine({
      config,
      ring: this.#ring,
      secrets,
      ledger: this.#ledger,
      queue: this.#queue,
      teller: tellerOf(files),
      limits: LIMITS,
      transport: byNode,
      pipe: fixedLength,
    });
  }

  async start({ bucket: name, prefix = "", from, to, dryRun, ...more }: Wanted): Promise<RotationReport> {
    const bucket = this.#bucket(name);
    const direction = directionOf(bucket, { from, to });
    const request = { bucket, prefix, ...direction, dryRun: dryRun === true, caller: CALLER, ...more };
    const rotation = await this.#engine.start(request).catch((error: unknown) => {
      if (!(error instanceof CustomerKeyError)) throw error;
      throw new Error(`KEYS.${direction.to.id}: ${error.message}`);
    });
    return this.find(rotation.id);
  }

  async list(bucket: string): Promise<readonly RotationReport[]> {
    const rows = await this.#ledger.list([this.#bucket(bucket).name], FIRST_ERRORS);
    return Promise.all(rows.map(async (row) => reportOf(row, await this.#ledger.counts(row.id))));
  }

  async find(id: string): Promise<RotationReport> {
    const rotation = await this.#row(id);
    if (this.#works) await this.#engine.sweep(rotation);
    if (rotation.state === "cancelled" && this.#parts.release !== undefined) await this.#endUploads(rotation);
    const counts = await this.#ledger.counts(id);
    return reportOf(rotation, counts, await this.#ledger.failures(id, FIRST_ERRORS));
  }

  async errors(id: string, cursor?: string): Promise<ErrorsPage> {
    const errors = await this.#ledger.failures(id, PAGE, cursor);
    const last = errors.length === PAGE ? errors.at(-1) : undefined;
    return { errors, ...(last && { cursor: last.key }) };
  }

  async cancel(id: string): Promise<RotationReport> {
    await this.#engine.cancel(await this.#row(id));
    return this.find(id);
  }

  async resume(id: string): Promise<RotationReport> {
    await this.#engine.resume(await this.#row(id));
    return this.find(id);
  }

  async keys(): Promise<readonly ReportedKey[]> {
    const { config } = this.#parts;
    const known = new Map<Bucket, Awaited<ReturnType<typeof knownOf>>>();
    for (const bucket of config.buckets.values()) known.set(bucket, await knownOf(this.#ledger, bucket));
    // Here nobody hands out URLs; the Worker's trail is the Worker's.
    const trail = { db: undefined, uploadLives: uploadLives(config) };
    return Promise.all(
      [...config.keys.values()].map(async (rule) => {
        const its = [...known.values()].filter(({ bucket }) => bucket.keys.includes(rule));
        const needed = await neededBy(rule, its, { areAll: true, trail });
        const buckets = its.map(({ bucket }) => bucket);
        return { ...(await keyReportOf(rule, buckets, this.#ring)), ...(needed && { neededBy: needed }) };
      }),
    );
  }

  async close(): Promise<void> {
    await this.#queue.idle();
    await this.#queue.close();
    this.#parts.release?.();
    this.#parts.database.close();
    output.error = (line) => console.error(line);
  }

  /** Whoever holds the ledger is alone: who was at work is dead. What they were at goes on once it is asked for. */
  async #takeOver(purpose: Purpose): Promise<void> {
    this.#works = purpose === "work";
    this.#queue.handle = (message) => this.#engine.handle(message);
    for (const rotation of await this.#ledger.running()) await this.#ledger.forgetLeases(rotation.id);
  }

  /** It may have been cancelled from elsewhere, in the midst of a large object that is at work here. */
  async #endUploads(rotation: Rotation): Promise<void> {
    await this.#queue.idle();
    await this.#engine.cancel(rotation);
    await this.#queue.idle();
  }

  async #row(id: string): Promise<Rotation> {
    const rotation = await this.#ledger.find(id);
    if (rotation === undefined) throw new Error(`there is no rotation ${id} here`);
    return rotation;
  }

  #bucket(name: string): Bucket {
    return bucketOf(this.#parts.config, name);
  }
}

/** What the Worker says in its log and its trail is a line of a file here. */
function tellerOf({ log }: LocalFiles): Teller {
  const tell = (line: object) => appendFileSync(log, `${JSON.stringify(line).toWellFormed()}\n`);
  return {
    object: (...of) => tell(objectLine(...of)),
    event: async ({ id, bucket, toKey }, { operation, counts, code }) =>
      tell({
        event: "audit",
        time: new Date().toISOString(),
        caller: CALLER,
        requestId: id,
        operation,
        bucket,
        keyId: toKey,
        counts,
        code,
      }),
  };
}
