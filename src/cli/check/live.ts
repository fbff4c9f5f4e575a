/** `ssec check --live`: each bucket, tried with throw-away objects that are removed whatever happens. */
import type { Bucket, Config } from "../../config/load.ts";
import type { Secrets } from "../../config/secrets.ts";
import { CustomerKeyError } from "../../keys/customer-key.ts";
import { customerKeyHeaders } from "../../keys/headers.ts";
import { KeyRing, writer } from "../../keys/ring.ts";
import { Refused } from "../../refused.ts";
import { type Credentials, credentialsOf } from "../../s3/store/credentials.ts";
import { type Added, addedOutcome, tryAdded } from "./added.ts";
import { type Limits, type Redirect, StoreClient } from "./client.ts";
import { completeConditions, copyConditions, deleteConditions, putConditions } from "./conditions.ts";
import { cors } from "./cors.ts";
import { enforced } from "./enforced.ts";
import { isDone, NoAnswer } from "./http.ts";
import { checksum, contentMD5, tags } from "./integrity.ts";
import { randomBody, randomKey, type Trial, tryObject } from "./object.ts";
import { reach } from "./reach.ts";
import { headLength, list, partNumber } from "./reading.ts";
import { all, bad, CHECKS, type Finding, type Outcome, ok, Report } from "./report.ts";
import { NOTHING, Scratch } from "./scratch.ts";
import { copy, form, multipart, query } from "./ways.ts";

export interface LiveOptions extends Limits {
  readonly config: Config;
  readonly secrets: Secrets;
  /** Is told what is being tried. */
  readonly progress: (doing: string) => void;
}

/**
 * What was found in each bucket, in the order given. The buckets of one store are tried one after the other.
 *
 * @throws the reason for which `interrupted` was aborted, after everything has been removed
 */
export async function checkLive(buckets: readonly Bucket[], options: LiveOptions): Promise<Finding[]> {
  const found = new Map<Bucket, Finding[]>();
  const stores = [...Map.groupBy(buckets, ({ store }) => store).values()];
  await all(
    stores.map(async (ofOneStore) => {
      for (const bucket of ofOneStore) found.set(bucket, await checkBucket(bucket, options));
    }),
  );
  return buckets.flatMap((bucket) => found.get(bucket) ?? []);
}

/**
 * Whether the store of a bucket takes headers that nobody signed, tried under keys of this run alone.
 *
 * @returns undefined where it could not be tried
 */
export async function addedIn(
  bucket: Bucket,
  credentials: Credentials,
  limits: Limits,
): Promise<Added | undefined> {
  const report = new Report(bucket.name, () => {});
  const configured = new StoreClient({ bucket, credentials, clockOffset: 0 }, limits);
  const store = await reach(configured, NOTHING, report);
  if (store === undefined) return undefined;
  const scratch = new Scratch(store);
  const trial: Trial = async (what) => ({ name: scratch.name(what), key: randomKey(), body: randomBody() });
  try {
    const source = await trial("object");
    const wanted = { method: "PUT", key: source.name, headers: customerKeyHeaders(source.key) };
    const put = await scratch.write(source.name, (store) => store.ask(wanted, source.body));
    return isDone(put) ? await tryAdded(store, scratch, source, trial) : undefined;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return undefined;
  } finally {
    const removed = await scratch.remove();
    if (removed.verdict === "bad") console.error(`BUCKETS.${bucket.name}: ${removed.what}. ${removed.todo}`);
  }
}

async function checkBucket(bucket: Bucket, options: LiveOptions): Promise<Finding[]> {
  const report = new Report(bucket.name, options.progress);
  const credentials = await credentialsFor(bucket, options.secrets, report);
  if (credentials === undefined) return report.findings();
  const configured = new StoreClient({ bucket, credentials, clockOffset: 0 }, options);
  options.progress(`BUCKETS.${bucket.name}: ${CHECKS.connection}`);
  const reached = await reach(configured, NOTHING, report);
  if (reached === undefined) return report.findings();
  // What was redirected until here has been said in the lines of region and addressing.
  const store = new StoreClient(reached.reach, options);
  const scratch = new Scratch(store);
  try {
    await tryBucket(store, scratch, options, report);
    options.interrupted.throwIfAborted();
  } finally {
    await report.try("removed", () => scratch.remove());
    // The findings of an interrupted run are not shown, but what it may have left is.
    const removed = report.get("removed");
    if (options.interrupted.aborted)
      console.error(`BUCKETS.${bucket.name}: ${CHECKS.removed}: ${removed?.what}`);
  }
  return report.findings();
}

async function tryBucket(
  store: StoreClient,
  scratch: Scratch,
  { config, secrets }: LiveOptions,
  report: Report,
): Promise<void> {
  const trial = trialObjects(store, scratch, secrets);
  const object = await trial("object").catch((error: unknown) => {
    if (!(error instanceof CustomerKeyError)) throw error;
    report.set("put", bad("there is no key to write under", error.message));
  });
  if (object !== undefined) await tryObject(store, scratch, object, report);
  const { name, presignedUploads = true } = store.reach.bucket.store;
  const isStored = object !== undefined && !report.isBad("put") && !report.isBad("at-rest");
  await all([
    report.try("cors", () => cors(store, scratch.name("object"), config.allowedOrigins)),
    report.try("enforced", () => enforced(store, scratch, trial)),
    ...(isStored
      ? [
          report.try("added", async () =>
            addedOutcome(await tryAdded(store, scratch, object, trial), name, !presignedUploads),
          ),
          report.try("query", () => query(store, scratch, scratch.name("query"))),
          report.try("copy", async () => copy(store, scratch, object, await trial("copy"))),
          report.try("multipart", async () => multipart(store, scratch, await trial("multipart"))),
          report.try("form", async () => form(store, scratch, await trial("form"))),
          report.try("checksum", () => checksum(store, scratch, trial)),
          report.try("content-md5", () => contentMD5(store, scratch, trial)),
          report.try("tags", () => tags(store, scratch, trial)),
          report.try("head-length", () => headLength(store, object)),
          report.try("part-number", () => partNumber(store, object)),
          report.try("put-conditions", () => putConditions(scratch, trial)),
          report.try("complete-conditions", () => completeConditions(store, scratch, trial)),
          report.try("delete-conditions", () => deleteConditions(scratch, trial)),
          report.try("copy-conditions", () => copyConditions(store, scratch, trial)),
          report.try("list", () => list(store, scratch, trial)),
        ]
      : []),
  ]);
  report.set("redirects", redirectsOutcome(store.redirects, store.reach.bucket.store.endpoint));
}

function redirectsOutcome([first]: readonly Redirect[], endpoint: string): Outcome {
  if (first === undefined) return ok("the store answers itself");
  return bad(
    `${first.method} is sent elsewhere (${first.answer.status})`,
    `Neither the service nor these commands follow: the key would go along. Let the endpoint be the one that answers, in place of ${endpoint}, or mend the proxy before it.`,
  );
}

/** Makes throw-away objects as the service would write them: each under the key that writes now, derived where it is. */
export function trialObjects({ reach }: StoreClient, scratch: Scratch, secrets: Secrets): Trial {
  const { storeBucket, keys, name: bucket } = reach.bucket;
  const ring = new KeyRing(secrets.read);
  return async (what) => {
    const rule = writer(keys, Date.now());
    if (rule === undefined)
      throw new CustomerKeyError(`None of the keys of BUCKETS.${bucket} may write now.`);
    const name = scratch.name(what);
    return { name, key: await ring.keyFor(rule, { storeBucket, key: name }), body: randomBody() };
  };
}

async function credentialsFor(
  { store }: Bucket,
  secrets: Secrets,
  report: Report,
): Promise<Credentials | undefined> {
  try {
    return await credentialsOf(store, secrets);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const todo =
      "--live needs it on this machine: in .dev.vars beside the configuration, or in the environment.";
    report.set("credentials", bad(error.operator ?? error.message, todo));
    return undefined;
  }
}
