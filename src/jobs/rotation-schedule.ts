/**
 * The daily look at rotations. What stands still goes on; and a bucket with `rotateEvery` is rotated, once a newer key
 * stands first. No key is made here: that it is time for one is logged, with what there is to do.
 */
import type { Database } from "../bindings.ts";
import type { Bucket } from "../config/load.ts";
import { CustomerKeyError } from "../keys/customer-key.ts";
import { type KeyRule, writer } from "../keys/ring.ts";
import { logError, logRotationDue } from "../log.ts";
import { Refused } from "../refused.ts";
import { placeOf } from "../rotation/place.ts";
import { type Rotations, rotationsOf } from "../rotation-service.ts";
import type { Service } from "../service.ts";
import { DAY } from "../time.ts";

/** Who starts what nobody asked for. */
const SCHEDULE = "schedule";

export async function watchRotations(service: Service, now = Date.now()): Promise<void> {
  const { db, rotationQueue } = service.bindings;
  if (db === undefined || rotationQueue === undefined) return;
  const rotations = rotationsOf(service);
  const running = await rotations.ledger.running();
  for (const rotation of running) await rotations.engine.sweep(rotation);
  await rotations.engine.forget(now);
  const ids = new Set(service.config.keys.keys());
  for (const bucket of service.config.buckets.values()) {
    if (bucket.rotateEvery !== undefined)
      await look(bucket, bucket.rotateEvery, { ...rotations, db, ids, now });
  }
}

interface Looking extends Rotations {
  readonly db: Database;
  /** Of all keys that there are. */
  readonly ids: ReadonlySet<string>;
  readonly now: number;
}

async function look(bucket: Bucket, every: number, { engine, ledger, db, ids, now }: Looking): Promise<void> {
  const key = writer(bucket.keys, now);
  if (key === undefined) return;
  const where = { bucket: bucket.name, place: placeOf(bucket) };
  const last = await ledger.lastFull(where, key.id);
  const before = bucket.keys[bucket.keys.indexOf(key) + 1];
  if (before === undefined || last !== undefined) {
    const first = [await ledger.firstTo(key.id, where), await firstUse(db, key, bucket)];
    const known = first.filter((time) => time !== undefined);
    const since = key.notBefore ?? (known.length > 0 ? Math.min(...known) : undefined);
    if (since !== undefined && now - since >= every) logRotationDue(dueOf(bucket, key, now - since, ids));
    return;
  }
  // Of a key that nobody knows the age of it is high time.
  const since = before.notBefore ?? (await firstUse(db, before, bucket)) ?? 0;
  if (now - since < every) return;
  try {
    const request = { bucket, prefix: "", from: undefined, to: key, dryRun: false, caller: SCHEDULE };
    await engine.start(request);
  } catch (error) {
    // One runs already.
    if (error instanceof Refused && error.reason === "conflict") return;
    if (!(error instanceof CustomerKeyError)) throw error;
    logError({ code: "key-invalid", message: `KEYS.${key.id}: ${error.message}` });
  }
}

/** By the trail, milliseconds since the epoch. */
async function firstUse(db: Database, { id }: KeyRule, { name }: Bucket): Promise<number | undefined> {
  const { results } = await db
    .prepare("SELECT min(firstUsed) AS first FROM key_usage WHERE keyId = ? AND bucket = ?")
    .bind(id, name)
    .all<{ first: string | null }>();
  const first = results[0]?.first;
  return first ? Date.parse(first) : undefined;
}

/** What there is to do, in commands of the command line: a test runs them. */
function dueOf({ name }: Bucket, key: KeyRule, age: number, ids: ReadonlySet<string>) {
  const ssec = "npm run -s ssec --";
  const kind = key.derive ? "--derive" : "--no-derive";
  const add = `${ssec} add key ${nextId(key.id, ids)} --bucket ${name} ${kind}`;
  const message = [
    `KEYS.${key.id} has written to BUCKETS.${name} for ${Math.floor(age / DAY)} days.`,
    `Make its successor: \`${add}\`, and then what that prints, which binds and deploys it.`,
    `The rotation starts by itself then; at once, with --url and SSEC_TOKEN, by \`${ssec} rotate ${name}\`.`,
    `What still needs the old key: \`${ssec} keys\`.`,
    "Where the package is installed, npx ssec stands for the beginning of each; --env NAME goes before the command.",
  ].join(" ");
  return { bucket: name, keyId: key.id, message };
}

/** k1 is followed by k2. */
function nextId(id: string, taken: ReadonlySet<string>): string {
  const [, stem = id, number = "1"] = /^(.*?)(\d+)$/.exec(id) ?? [];
  let next = Number(number) + 1;
  while (taken.has(stem + next)) next++;
  return stem + next;
}
