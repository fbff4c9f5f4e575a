/** What can be checked without a store: secrets, keys and their dates, grants, names, origins, bindings. */
import { isSigningSecret, tokenFault, twinsOf } from "../../auth/token.ts";
import type { BindingName } from "../../bindings.ts";
import { isCoreWeave } from "../../config/coreweave.ts";
import type { Config } from "../../config/load.ts";
import { sampleOrigin } from "../../config/origins.ts";
import { LOOPBACK } from "../../config/schema.ts";
import { CustomerKeyError, decodeCustomerKey } from "../../keys/customer-key.ts";
import { lifeOf } from "../../keys/life.ts";
import { KeyRing, type KeyRule, keyState, writer } from "../../keys/ring.ts";
import { type ConfiguredWorker, credentialNames, secretNames } from "../worker.ts";
import { type Elsewhere, keyLine, secretLine } from "./deployed.ts";
import type { Line } from "./line.ts";

/** What each optional binding switches on, and how to bind it. */
const FEATURES: Readonly<Record<BindingName, string>> = {
  DB: 'the audit trail that can be asked (D1): [[d1_databases]] binding = "DB"',
  QUEUE: 'the way of events into it (Queues): [[queues.producers]] binding = "QUEUE"',
  ROTATION_QUEUE:
    'rotations, with DB as their ledger (Queues): [[queues.producers]] binding = "ROTATION_QUEUE"',
  RATE_LIMIT: 'the rate limit by caller and subject: [[ratelimits]] name = "RATE_LIMIT"',
  METRICS: 'metrics (Analytics Engine): [[analytics_engine_datasets]] binding = "METRICS"',
  ASSETS: 'the page at / (static assets): [assets] binding = "ASSETS"',
};

const GATEWAY_SECRET = "GATEWAY_SECRET";

/** Every secret is on this machine. */
const NOBODY_ASKED: Elsewhere = { bound: undefined, deployed: undefined, lines: [] };

/** Of a secret in a Secrets Store. */
const ELSEWHERE = "is bound from a Secrets Store, which the Worker alone can read";

const ok = (what: string): Line => ({ verdict: "ok", what });
const off = (what: string): Line => ({ verdict: "off", what });
const warn = (what: string): Line => ({ verdict: "warn", what });
const bad = (what: string): Line => ({ verdict: "bad", what });

export type Ask = () => Promise<Elsewhere>;

/** @param ask is called when a secret is not on this machine */
export async function checkConfiguration(worker: ConfiguredWorker, ask: Ask): Promise<Line[]> {
  const { config, has } = worker;
  const elsewhere = secretNames(config).every(has) ? NOBODY_ASKED : await ask();
  return [
    ...(await checkSecrets(worker, elsewhere)),
    ...(await checkTwins(worker)),
    ...(await checkKeys(worker, elsewhere)),
    await checkGatewaySecret(worker, elsewhere),
    ...elsewhere.lines,
    ...checkTables(worker),
  ];
}

/** What can be said without any secret. */
export function checkTables(worker: ConfiguredWorker): Line[] {
  const { config } = worker;
  return [
    ...checkDates(config),
    ...checkNames(config),
    ...checkGrants(config),
    ...checkOrigins(config),
    ...checkBindings(worker),
  ];
}

/** Of the stores' credentials and the callers' tokens. */
function checkSecrets(
  { config, secrets, has, bindings }: ConfiguredWorker,
  elsewhere: Elsewhere,
): Promise<Line[]> {
  const tokens = new Set(config.tokenCallers.map(({ token }) => token));
  return Promise.all(
    credentialNames(config).map(async (name) => {
      const line = has(name) ? undefined : secretLine(name, elsewhere);
      if (line !== undefined && !(bindings.has(name) && line.verdict === "bad")) return line;
      if (!has(name) && bindings.has(name)) return off(`secret ${name} ${ELSEWHERE}`);
      return secrets.read(name).then(
        (value) => valueLine(name, value, tokens.has(name)),
        (error: Error) => bad(error.message),
      );
    }),
  );
}

function valueLine(name: string, value: string, isToken: boolean): Line {
  if (/\s/.test(value))
    return bad(
      `secret ${name} holds white space: bind it without, as \`printf %s\` does and \`echo\` does not`,
    );
  const fault = isToken ? tokenFault(value) : undefined;
  if (fault !== undefined)
    return bad(
      `secret ${name} is a token ${fault}, and does not count: openssl rand -base64 32 makes one that does`,
    );
  if (isToken && !isSigningSecret(value))
    return warn(
      `secret ${name} is a token of under 128 bits, which S3 at the edge does not take: openssl rand -base64 32 makes one that it does`,
    );
  return ok(`secret ${name} is there`);
}

/** Of the tokens that are on this machine. */
async function checkTwins({ config, secrets, has }: ConfiguredWorker): Promise<Line[]> {
  const tokens = new Map<string, string>();
  for (const { name, token } of config.tokenCallers) {
    const value = has(token) ? await secrets.read(token).catch(() => undefined) : undefined;
    if (value !== undefined) tokens.set(name, value);
  }
  const [name, other] = twinsOf(tokens) ?? [];
  if (name === undefined) return [];
  return [bad(`CALLERS.${name} and CALLERS.${other} have the same token, which lets in neither of them`)];
}

/** Optional: without it, users with JWTs have no links and no credentials for S3 at the edge. */
async function checkGatewaySecret(
  { secrets, has, bindings }: ConfiguredWorker,
  { bound }: Elsewhere,
): Promise<Line> {
  const what = `secret ${GATEWAY_SECRET}`;
  if (has(GATEWAY_SECRET)) {
    const fault = secretFault(await secrets.read(GATEWAY_SECRET).catch(() => ""));
    return fault === undefined ? ok(`${what} is there`) : bad(`${what} ${fault}`);
  }
  if (bindings.has(GATEWAY_SECRET)) return off(`${what} ${ELSEWHERE}`);
  if (bound?.has(GATEWAY_SECRET)) return ok(`${what} is bound, by wrangler secret list`);
  return off(
    `${what} is not bound, which leaves off S3 credentials and edge links for users with JWTs: openssl rand -base64 32 | tr -d '\\n' | npx wrangler secret put ${GATEWAY_SECRET}`,
  );
}

/** A secret of GATEWAY_SECRET is made as a customer key is, and its mistakes are the same. */
function secretFault(text: string): string | undefined {
  try {
    decodeCustomerKey(text);
    return undefined;
  } catch (error) {
    if (error instanceof CustomerKeyError) return error.message;
    throw error;
  }
}

function checkKeys(
  { config, secrets, has, bindings }: ConfiguredWorker,
  elsewhere: Elsewhere,
): Promise<Line[]> {
  const ring = new KeyRing(secrets.read);
  return Promise.all(
    [...config.keys.values()].map(async (rule) => {
      const { id, secret } = rule;
      const line = has(secret) ? undefined : keyLine(id, secret, elsewhere);
      if (line !== undefined && !(bindings.has(secret) && line.verdict === "bad")) return line;
      if (!has(secret) && bindings.has(secret)) return off(`KEYS.${id}: secret ${secret} ${ELSEWHERE}`);
      return ring.md5(rule).then(
        (md5) =>
          ok(
            `KEYS.${id} is a key${md5 === undefined ? ", a root" : ` with MD5 ${md5}`}, ${keyState(rule, Date.now())}`,
          ),
        (error: unknown) => {
          if (!(error instanceof CustomerKeyError)) throw error;
          return bad(`KEYS.${id}: ${error.message}`);
        },
      );
    }),
  );
}

function checkDates({ keys, buckets }: Config): Line[] {
  const now = Date.now();
  const isUsed = (rule: KeyRule) => [...buckets.values()].some((bucket) => bucket.keys.includes(rule));
  const lives = [...keys.values()].flatMap((rule) => {
    if (!isUsed(rule)) return [off(`KEYS.${rule.id} is in no bucket's keys: name it there, or take it out`)];
    const life = lifeOf(rule, now);
    return life === undefined ? [] : [warn(life)];
  });
  const dead = [...buckets.values()]
    .filter((bucket) => writer(bucket.keys, now) === undefined)
    .map(({ name }) =>
      bad(`BUCKETS.${name}: none of its keys may write now: add one that may, before the others`),
    );
  return [...lives, ...dead];
}

function checkNames({ stores, buckets }: Config): Line[] {
  const stored = [...stores.values()].filter(({ endpoint }) => isCoreWeave(endpoint));
  return [
    ...stored
      .filter(({ addressing }) => addressing === "path")
      .map(({ name }) => bad(`STORES.${name}: CoreWeave refuses path addressing: leave addressing out`)),
    ...stored
      .filter(({ region }) => !/^[A-Z0-9-]+$/.test(region))
      .map(({ name }) => bad(`STORES.${name}: CoreWeave's regions are its zones, as "US-EAST-04A"`)),
    ...[...buckets.values()]
      .filter(({ store, storeBucket }) => isCoreWeave(store.endpoint) && /^(cw|vip)-/.test(storeBucket))
      .map(({ name, storeBucket }) =>
        bad(
          `BUCKETS.${name}: CoreWeave allows no bucket name that begins with ${storeBucket.split("-", 1)}-`,
        ),
      ),
  ];
}

/** A token carries no claims, so that a prefix which names one is nobody's. */
function checkGrants({ tokenCallers }: Config): Line[] {
  return tokenCallers.flatMap(({ name, grants }) =>
    grants
      .filter(({ prefix }) => prefix.includes("{"))
      .map(({ prefix }) =>
        bad(`CALLERS.${name}: the prefix ${JSON.stringify(prefix)} names a claim, and a token has none`),
      ),
  );
}

function checkOrigins({ allowedOrigins }: Config): Line[] {
  if (allowedOrigins.length === 0)
    return [off("ALLOWED_ORIGINS is empty: no page of another origin may call")];
  return allowedOrigins
    .filter((origin) => origin.startsWith("http:") && !LOOPBACK.test(new URL(sampleOrigin(origin)).hostname))
    .map((origin) =>
      warn(`ALLOWED_ORIGINS: ${origin} is plain http: whoever is on the way reads what its pages are handed`),
    );
}

function checkBindings({ bindings }: ConfiguredWorker): Line[] {
  const lines = Object.entries(FEATURES).map(([name, feature]) =>
    bindings.has(name) ? ok(`${name} is bound`) : off(`${name} is not bound, which leaves off ${feature}`),
  );
  if (bindings.has("crons")) return lines;
  return [
    ...lines,
    off(
      'no cron trigger: nobody warns of keys, and events are kept for ever: [triggers] crons = ["17 3 * * *"]',
    ),
  ];
}
