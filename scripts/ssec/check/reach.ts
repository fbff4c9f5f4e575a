/**
 * How the store is reached: connection, TLS, clock, addressing, region, credentials. What turns out wrong is said, and
 * where the store tells what is right, the rest is tried with that: one mistake then hides no other.
 */
import type { Store } from "../../../src/config/load.ts";
import type { Addressing } from "../../../src/config/schema.ts";
import type { StoreClient } from "./client.ts";
import { type Answer, codeOf, element, NoAnswer, said } from "./http.ts";
import { bad, type Outcome, off, ok, type Report, silent, warn } from "./report.ts";

/** A certificate is near its end so many days before. */
const CERTIFICATE_DAYS = 14;
const DAY = 86_400_000;
/** S3 refuses what is signed by a clock that is further off than that, milliseconds. */
const MAX_SKEW = 15 * 60_000;
/** Not worth a word, milliseconds: a Date header has whole seconds. */
const GOOD_SKEW = 30_000;

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
  const { store: config, storeBucket } = store.reach.bucket;
  try {
    const attempt = await ask(store);
    report.set("connection", ok(`answers in ${Math.round(performance.now() - began)} ms`));
    report.set("tls", tlsOutcome(attempt.answer, config));
    return attempt;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const isMissingHost = error.reason === "name" && config.addressing === "virtual";
    const other = isMissingHost ? await ask(addressedAs("path", store)).catch(nothing) : undefined;
    if (other !== undefined) {
      report.set("connection", ok("answers"));
      report.set("tls", tlsOutcome(other.answer, config));
      report.set("addressing", wrongAddressing(config, `there is no host ${storeBucket}.${hostOf(config)}`));
      return other;
    }
    if (error.reason === "tls") {
      report.set("connection", ok("takes connections"));
      report.set("tls", brokenTls(error.message, config));
    } else if (error.reason === "timeout") report.set("connection", silent(error));
    else report.set("connection", unreachable(error, config));
    return undefined;
  }
}

function tlsOutcome({ tls }: Answer, { name, endpoint }: Store): Outcome {
  if (tls === undefined) {
    return /\/\/(localhost|.+\.localhost|127\.[\d.]+|\[::1\])(:|$)/.test(endpoint)
      ? off("plain http, to this machine itself")
      : warn(
          "plain http: whoever is on the way reads the customer keys",
          `Let STORES.${name}.endpoint begin with https:// unless the way to the store is private.`,
        );
  }
  const until = `certificate valid until ${tls.validTo.toISOString().slice(0, 10)}`;
  const days = (tls.validTo.getTime() - Date.now()) / DAY;
  if (days > CERTIFICATE_DAYS) return ok(`${tls.version}, ${until}`);
  return warn(`${tls.version}, ${until}`, "The certificate ends soon: have whoever runs the store renew it.");
}

const TLS_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "The certificate has expired: whoever runs the store must renew it.",
  CERT_NOT_YET_VALID: "The certificate is not valid yet: is this machine's clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate is for another name. Is the endpoint right? Many stores have no certificate for BUCKET.host: set addressing = "path" there, if the store takes it.',
};
const UNTRUSTED =
  "The certificate is by nobody that is trusted. The Worker will not connect: use a certificate of a public authority. To check all the same, name the authority's file in NODE_EXTRA_CA_CERTS.";
const NO_TLS =
  "What answers there does not speak TLS as it should: are the endpoint's scheme and port right?";

function brokenTls(code: string, { name }: Store): Outcome {
  const isAboutTrust = /SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|UNTRUSTED/.test(code);
  const meaning = TLS_FAULTS[code] ?? (isAboutTrust ? UNTRUSTED : NO_TLS);
  return bad(`no trusted connection (${code})`, `${meaning} (STORES.${name}.endpoint)`);
}

function unreachable({ message }: NoAnswer, { name, endpoint }: Store): Outcome {
  return bad(message, `Is STORES.${name}.endpoint right (${endpoint}), and the store up?`);
}

/** The store's clock less this machine's, milliseconds; undefined where the store does not tell. */
function skewOf({ headers }: Answer, sentAt: number): number | undefined {
  const date = Date.parse(headers.date ?? "");
  return Number.isNaN(date) ? undefined : date - (sentAt + Date.now()) / 2;
}

function clockOutcome(skew: number | undefined): Outcome {
  if (skew === undefined) return off("the store does not tell its time (no Date header)");
  const seconds = Math.round(Math.abs(skew) / 1000);
  if (Math.abs(skew) <= GOOD_SKEW) return ok(`${seconds} s off`);
  const by = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`;
  const what = `the store's is ${by} ${skew > 0 ? "ahead of" : "behind"} this machine's`;
  const todo =
    "URLs live so much shorter or longer, and beyond 15 minutes none is taken. Compare `date -u` here with the true time: set this machine's clock by NTP, or have whoever runs the store do so.";
  return Math.abs(skew) < MAX_SKEW ? warn(what, todo) : bad(what, todo);
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
  const told = regionIn(answer);
  if ((told === undefined || told === region) && !isElsewhere(answer)) {
    report.set("region", ok(region));
    return attempt;
  }
  const where =
    told === undefined || told === region ? "the one that the bucket is in" : JSON.stringify(told);
  report.set(
    "region",
    bad(
      `${region} is refused (${said(answer)})`,
      `Signatures are for another region: set STORES.${name}.region to ${where}${isRedirect(answer) ? ", and its endpoint to that region's" : ""}.`,
    ),
  );
  if (told === undefined || told === region) return attempt;
  return ask(store.by({ bucket: { ...bucket, store: { ...bucket.store, region: told } } }));
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
  if (isUsable(attempt) || isStranger(answer) || report.isBad("addressing")) {
    if (!report.isBad("addressing")) report.set("addressing", ok(config.addressing));
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

function hostOf({ endpoint }: Store): string {
  return new URL(endpoint).hostname;
}

function nothing(error: unknown): undefined {
  if (!(error instanceof NoAnswer)) throw error;
}
