/**
 * How the store is reached: connection, TLS, clock, addressing, region, credentials. What turns out wrong is said, and
 * where the store tells what is right, the rest is tried with that: one mistake then hides no other.
 */
import type { Store } from "../../config/load.ts";
import type { Addressing } from "../../config/schema.ts";
import type { StoreClient } from "./client.ts";
import { clockOutcome, GOOD_SKEW, skewOf } from "./clock.ts";
import { type Answer, codeOf, element, NoAnswer, said } from "./http.ts";
import { bad, type Outcome, ok, type Report, silent, warn } from "./report.ts";
import { brokenTls, tlsOutcome } from "./tls.ts";

interface Attempt {
  readonly store: StoreClient;
  readonly answer: Answer;
}

/**
 * @param name of an object that is not there
 * @returns the bucket as it can be reached, unless it cannot
 */
export async function reach(
  store: StoreClient,
  name: string,
  report: Report,
): Promise<StoreClient | undefined> {
  const ask = async (asked: StoreClient): Promise<Attempt> => ({
    store: asked,
    answer: await asked.ask({ method: "GET", key: name }),
  });
  const sentAt = Date.now();
  const first = await connect(store, ask, report);
  if (first === undefined) return undefined;
  const skew = skewOf(first.answer, sentAt);
  report.set("clock", clockOutcome(skew));
  try {
    const onTime = await withItsClock(first, skew, ask);
    const inRegion = await withItsRegion(onTime, ask, report);
    const addressed = await withItsAddressing(inRegion, ask, report);
    return isLetIn(addressed, report) ? addressed.store : undefined;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    report.set("connection", silent(error));
    return undefined;
  }
}

type Ask = (store: StoreClient) => Promise<Attempt>;

async function connect(store: StoreClient, ask: Ask, report: Report): Promise<Attempt | undefined> {
  const began = performance.now();
  try {
    const attempt = await ask(store);
    report.set("connection", ok(`answers in ${Math.round(performance.now() - began)} ms`));
    report.set("tls", tlsOutcome(attempt.answer, store.reach.bucket.store));
    return attempt;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return connectByPath(error, store, ask, report);
  }
}

/** Where the bucket has no host of its own, the store may have one all the same. */
async function connectByPath(
  error: NoAnswer,
  store: StoreClient,
  ask: Ask,
  report: Report,
): Promise<Attempt | undefined> {
  const { store: config, storeBucket } = store.reach.bucket;
  const isMissingHost = error.reason === "name" && config.addressing === "virtual";
  const attempt = isMissingHost ? await ask(addressedAs("path", store)).catch(nothing) : undefined;
  if (attempt !== undefined) {
    const { hostname } = new URL(config.endpoint);
    report.set("connection", ok("answers"));
    report.set("tls", tlsOutcome(attempt.answer, config));
    report.set("addressing", wrongAddressing(config, `there is no host ${storeBucket}.${hostname}`));
  } else if (error.reason === "tls") {
    report.set("connection", ok("takes connections"));
    report.set("tls", brokenTls(error.message, config));
  } else report.set("connection", error.reason === "timeout" ? silent(error) : unreachable(error, config));
  return attempt;
}

function unreachable({ message }: NoAnswer, { name, endpoint }: Store): Outcome {
  return bad(
    message,
    `Is STORES.${name}.endpoint right, its scheme and port as well (${endpoint}), and the store up?`,
  );
}

/** A store whose clock is off refuses what is signed now: then what is signed by its own clock is what it takes. */
async function withItsClock(attempt: Attempt, skew = 0, ask: Ask): Promise<Attempt> {
  if (attempt.answer.status !== 403 || Math.abs(skew) <= GOOD_SKEW) return attempt;
  const corrected = await ask(attempt.store.by({ clockOffset: skew }));
  return corrected.answer.status === 403 ? attempt : corrected;
}

async function withItsRegion(attempt: Attempt, ask: Ask, report: Report): Promise<Attempt> {
  const { store, answer } = attempt;
  const { bucket } = store.reach;
  const { region, name } = bucket.store;
  const told = isElsewhere(answer) || isStranger(answer) ? regionIn(answer) : undefined;
  const other = told === region ? undefined : told;
  if (other === undefined && !isElsewhere(answer)) {
    report.set("region", ok(region));
    return attempt;
  }
  const where = other === undefined ? "the one that the bucket is in" : JSON.stringify(other);
  const further = isRedirect(answer) ? ", and its endpoint to that region's" : "";
  report.set(
    "region",
    bad(
      `${region} is refused (${said(answer)})`,
      `The store takes signatures for another: set STORES.${name}.region to ${where}${further}.`,
    ),
  );
  if (other === undefined) return attempt;
  return ask(store.by({ bucket: { ...bucket, store: { ...bucket.store, region: other } } }));
}

const isRedirect = ({ status }: Answer): boolean => status === 301 || status === 307;

const isElsewhere = (answer: Answer): boolean =>
  isRedirect(answer) || /^Authorization(QueryParametersError|HeaderMalformed)$/.test(codeOf(answer));

function regionIn(answer: Answer): string | undefined {
  const header = answer.headers["x-amz-bucket-region"];
  return (
    element(answer, "Region") ?? (typeof header === "string" && /^[\w-]+$/.test(header) ? header : undefined)
  );
}

/** No refusal of the request itself: the object is not there, or nobody may know. */
const isUsable = ({ answer }: Attempt): boolean =>
  codeOf(answer) === "NoSuchKey" || (answer.status === 403 && !isStranger(answer));

const isStranger = (answer: Answer): boolean =>
  answer.status === 401 ||
  /^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|InvalidSecurity|TokenRefreshRequired)$/.test(
    codeOf(answer),
  );

async function withItsAddressing(attempt: Attempt, ask: Ask, report: Report): Promise<Attempt> {
  const { store, answer } = attempt;
  const { store: config } = store.reach.bucket;
  if (report.isBad("addressing")) return attempt;
  if (isUsable(attempt) || isStranger(answer)) {
    report.set("addressing", ok(config.addressing));
    return attempt;
  }
  const other = await ask(addressedAs(config.addressing === "path" ? "virtual" : "path", store)).catch(
    nothing,
  );
  if (other === undefined || !isUsable(other)) return attempt;
  report.set("addressing", wrongAddressing(config, `is refused (${said(answer)})`));
  return other;
}

function wrongAddressing({ name, addressing }: Store, why: string): Outcome {
  const other = addressing === "virtual" ? "path" : "virtual";
  return bad(
    `${addressing}: ${why}`,
    `The store takes ${other} addressing: set STORES.${name}.addressing = "${other}".`,
  );
}

function addressedAs(addressing: Addressing, store: StoreClient): StoreClient {
  const { bucket } = store.reach;
  return store.by({ bucket: { ...bucket, store: { ...bucket.store, addressing } } });
}

function isLetIn(attempt: Attempt, report: Report): boolean {
  const { answer, store } = attempt;
  const { name, store: config, storeBucket } = store.reach.bucket;
  const { accessKeyId, secretAccessKey } = config;
  if (isStranger(answer)) {
    const at = codeOf(answer) === "InvalidAccessKeyId" ? accessKeyId : secretAccessKey;
    const todo = `The store does not know the signature: bind the right pair as ${accessKeyId} and ${secretAccessKey} (wrangler secret put ${at}).`;
    report.set("credentials", bad(`refused (${said(answer)})`, todo));
    return false;
  }
  if (isUsable(attempt)) {
    report.set("credentials", ok("known to the store"));
    report.set("bucket", answer.status === 404 ? ok(`${storeBucket} is there`) : unlisted(answer));
    return true;
  }
  // The line of the region has said so.
  if (isElsewhere(answer)) return false;
  report.set(
    "bucket",
    codeOf(answer) === "NoSuchBucket"
      ? bad(
          `there is no ${storeBucket}`,
          `Create it, or set BUCKETS.${name}.name to what the store calls it.`,
        )
      : bad(
          `an unforeseen answer (${said(answer)})`,
          `Is STORES.${config.name}.endpoint that of an S3 API (${config.endpoint})?`,
        ),
  );
  return false;
}

function unlisted(answer: Answer): Outcome {
  return warn(
    `an object that is not there is refused (${said(answer)})`,
    "Without ListBucket the service cannot tell a missing object from one that it may not read: allow it to the credentials.",
  );
}

function nothing(error: unknown): undefined {
  if (!(error instanceof NoAnswer)) throw error;
}
