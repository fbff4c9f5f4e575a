/** `ssec check`: what is wrong with the configuration, and what is off, each with what to do. */
import { Command } from "commander";
import { ConfigError } from "../../src/config/load.ts";
import { CustomerKeyError } from "../../src/ssec/customer-key.ts";
import { KeyRing, keyState, writer } from "../../src/ssec/ring.ts";
import { EXIT } from "./terminal.ts";
import { type ConfiguredWorker, readWorker, type Where } from "./worker.ts";

type Verdict = "ok" | "off" | "bad";

interface Line {
  readonly verdict: Verdict;
  readonly what: string;
}

const MARKS = { ok: "✓", off: "·", bad: "✗" } as const;

/** What each optional binding switches on, and how to bind it. */
const FEATURES = {
  DB: 'the audit trail that can be asked (D1): [[d1_databases]] binding = "DB"',
  QUEUE: 'the way of events into it (Queues): [[queues.producers]] binding = "QUEUE"',
  RATE_LIMIT: 'the rate limit by caller and subject: [[ratelimits]] name = "RATE_LIMIT"',
  METRICS: 'metrics (Analytics Engine): [[analytics_engine_datasets]] binding = "METRICS"',
} as const;

export const checkCommand = new Command("check")
  .description("checks the configuration and the secrets; exits 1 when something is wrong")
  .addHelpText("after", "\nExample:\n  npm run ssec -- check --config wrangler.toml --env production")
  .action(async (_, command: Command) => {
    const lines = await check(command.optsWithGlobals<Where>());
    for (const { verdict, what } of lines) console.log(`${MARKS[verdict]} ${what}`);
    if (lines.some(({ verdict }) => verdict === "bad")) process.exitCode = EXIT.failed;
  });

async function check(where: Where): Promise<Line[]> {
  let worker: ConfiguredWorker;
  try {
    worker = await readWorker(where);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.errors.map(({ path, message }) => ({ verdict: "bad", what: `${path}: ${message}` }));
  }
  return [
    { verdict: "ok", what: `${where.config}: the configuration is valid` },
    ...(await checkSecrets(worker)),
    ...(await checkKeys(worker)),
    ...checkGrants(worker),
    ...checkBindings(worker),
  ];
}

async function checkSecrets({ config, secrets }: ConfiguredWorker): Promise<Line[]> {
  const names = [
    ...[...config.stores.values()].flatMap(({ accessKeyId, secretAccessKey, sessionToken }) => [
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? [] : [sessionToken]),
    ]),
    ...config.tokenCallers.map(({ token }) => token),
  ];
  return Promise.all(
    [...new Set(names)].map((name) =>
      secrets.read(name).then(
        (): Line => ({ verdict: "ok", what: `secret ${name} is there` }),
        (error: Error): Line => ({ verdict: "bad", what: error.message }),
      ),
    ),
  );
}

async function checkKeys({ config, secrets }: ConfiguredWorker): Promise<Line[]> {
  const ring = new KeyRing(secrets.read);
  const keys = await Promise.all(
    [...config.keys.values()].map((rule) =>
      ring.md5(rule).then(
        (md5): Line => ({
          verdict: "ok",
          what: `KEYS.${rule.id} is a key${md5 === undefined ? ", a root" : ` with MD5 ${md5}`}, ${keyState(rule, Date.now())}`,
        }),
        (error: unknown): Line => {
          if (!(error instanceof CustomerKeyError)) throw error;
          return { verdict: "bad", what: `KEYS.${rule.id}: ${error.message}` };
        },
      ),
    ),
  );
  const dead = [...config.buckets.values()]
    .filter((bucket) => writer(bucket.keys, Date.now()) === undefined)
    .map(({ name }): Line => ({ verdict: "bad", what: `BUCKETS.${name}: none of its keys may write now` }));
  return [...keys, ...dead];
}

/** A token carries no claims, so that a prefix which names one is nobody's. */
function checkGrants({ config }: ConfiguredWorker): Line[] {
  return config.tokenCallers.flatMap(({ name, grants }) =>
    grants
      .filter(({ prefix }) => prefix.includes("{"))
      .map(
        ({ prefix }): Line => ({
          verdict: "bad",
          what: `CALLERS.${name}: the prefix ${JSON.stringify(prefix)} names a claim, and a token has none`,
        }),
      ),
  );
}

function checkBindings({ bindings, config }: ConfiguredWorker): Line[] {
  const lines = Object.entries(FEATURES).map(
    ([name, feature]): Line =>
      bindings.has(name)
        ? { verdict: "ok", what: `${name} is bound` }
        : { verdict: "off", what: `${name} is not bound, which leaves off ${feature}` },
  );
  if (config.allowedOrigins.length > 0) return lines;
  return [...lines, { verdict: "off", what: "ALLOWED_ORIGINS is empty: no page of another origin may call" }];
}
