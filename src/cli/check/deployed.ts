/** What is known of the secrets that are bound in the deployed Worker and are not on this machine. */
import type { ReportedKey } from "../../rotation/needed.ts";
import { Api, type ApiOptions } from "../api.ts";
import { boundSecrets } from "../bound.ts";
import { type ConfiguredWorker, readWorker, type Where } from "../worker.ts";
import { type Compared, compare, isTwin } from "./identity.ts";
import type { Line } from "./line.ts";

export interface Deployed {
  readonly url: string;
  /** Why the Worker that answers there is not known to be the one of this configuration; then its word does not count. */
  readonly doubt: string | undefined;
  /** Whether it can use its configuration and every secret that it names. */
  readonly isUsable: boolean;
  readonly keys: ReadonlyMap<string, ReportedKey>;
}

/** What is bound, by whoever can tell. */
export interface Elsewhere {
  /** Names, by Cloudflare's own list for the Worker of this environment; undefined where it was not asked. */
  readonly bound: ReadonlySet<string> | undefined;
  /** Undefined where the Worker was not asked. */
  readonly deployed: Deployed | undefined;
  /** Lines about what could not be asked. */
  readonly lines: readonly Line[];
}

const HINT =
  "where secrets are bound in the Worker alone, it can be asked by --url and SSEC_TOKEN (an admin's)";

/** Cloudflare's list where CLOUDFLARE_API_TOKEN is set, and the Worker's own word where SSEC_TOKEN is. */
export async function askElsewhere(
  options: ApiOptions & Where,
  worker: ConfiguredWorker,
): Promise<Elsewhere> {
  const lines: Line[] = [];
  const bound = await listed(options, lines);
  if (!process.env.SSEC_TOKEN) {
    if (bound === undefined) lines.push({ verdict: "off", what: HINT });
    return { bound, deployed: undefined, lines };
  }
  try {
    const deployed = await askDeployed(options, worker);
    if (deployed.doubt !== undefined) lines.push({ verdict: "warn", what: deployed.doubt });
    return { bound, deployed, lines };
  } catch (error) {
    const what = `the Worker cannot be asked: ${messageOf(error)}; ${HINT}`;
    return { bound, deployed: undefined, lines: [...lines, { verdict: "warn", what }] };
  }
}

async function listed(where: Where, lines: Line[]): Promise<ReadonlySet<string> | undefined> {
  if (!process.env.CLOUDFLARE_API_TOKEN) return undefined;
  try {
    return await boundSecrets(where);
  } catch (error) {
    lines.push({ verdict: "warn", what: messageOf(error) });
    return undefined;
  }
}

/** @throws {ApiError} */
export async function askDeployed(options: ApiOptions & Where, worker: ConfiguredWorker): Promise<Deployed> {
  const api = new Api(options);
  const { keys } = await api.get<{ keys: ReportedKey[] }>("/v1/keys");
  const compared = await compare(api, worker, keys);
  const isUsable = await api.get("/healthz").then(
    () => true,
    () => false,
  );
  return {
    url: options.url,
    doubt: await doubtOf(options, worker, compared),
    isUsable,
    keys: new Map(keys.map((key) => [key.id, key])),
  };
}

/** Its answers must be those of this configuration, and those of no other environment; or its host is its own. */
async function doubtOf(
  { config, env, url }: ApiOptions & Where,
  worker: ConfiguredWorker,
  compared: Compared,
): Promise<string | undefined> {
  const { difference } = compared;
  if (difference !== undefined)
    return `the Worker at ${url} has another configuration than ${config}${env ? `, ${env}` : ""} (${difference}): what it says of secrets does not count. Deploy this one, or give its address with --url`;
  if (isItsHost(new URL(url).host, worker)) return undefined;
  for (const other of worker.others) {
    const its = await readWorker({ config, ...(other && { env: other }) }).catch(() => undefined);
    if (its === undefined || !isTwin(worker.config, its.config, compared)) continue;
    const name = other === "" ? "outside of the environments" : `of ${other}`;
    return `the Worker at ${url} may as well be the one ${name}, whose configuration is alike: what it says of secrets does not count. Name ${new URL(url).host} in its routes, or set CLOUDFLARE_API_TOKEN to have wrangler list its secrets`;
  }
  return undefined;
}

function isItsHost(host: string, { name, hosts }: ConfiguredWorker): boolean {
  return (
    hosts.includes(host) ||
    (name !== undefined && host.startsWith(`${name}.`) && host.endsWith(".workers.dev"))
  );
}

/** Of a secret that is no customer key. The Worker says only whether all are there; undefined where nobody was asked. */
export function secretLine(name: string, { bound, deployed }: Elsewhere): Line | undefined {
  if (bound !== undefined) return boundLine(`secret ${name}`, name, bound);
  if (deployed === undefined) return undefined;
  const { url, doubt, isUsable, keys } = deployed;
  if (doubt !== undefined) return notKnown(`secret ${name}`);
  if (isUsable) return { verdict: "ok", what: `secret ${name} is bound in the Worker at ${url}` };
  const isExplained = [...keys.values()].some(({ state }) => state === "invalid");
  return isExplained
    ? {
        verdict: "off",
        what: `secret ${name} is not on this machine, and the Worker at ${url} can say more when its keys are mended`,
      }
    : {
        verdict: "bad",
        what: `secret ${name} may be what the Worker at ${url} lacks: wrangler secret list shows what is bound`,
      };
}

/** Of a customer key; undefined where nobody was asked. */
export function keyLine(id: string, secret: string, { bound, deployed }: Elsewhere): Line | undefined {
  if (bound !== undefined && !bound.has(secret))
    return boundLine(`KEYS.${id}: secret ${secret}`, secret, bound);
  if (deployed === undefined || deployed.doubt !== undefined) {
    if (bound !== undefined)
      return {
        verdict: "off",
        what: `KEYS.${id}: secret ${secret} is bound; whether it holds a key, the Worker alone can say (--url, SSEC_TOKEN)`,
      };
    return deployed === undefined ? undefined : notKnown(`KEYS.${id}: secret ${secret}`);
  }
  const { url, keys } = deployed;
  const key = keys.get(id);
  if (key === undefined) {
    return {
      verdict: "warn",
      what: `KEYS.${id} is not shown by the Worker at ${url}: deploy it, or ask with the token of an admin of its buckets`,
    };
  }
  const { state, reason, md5 } = key;
  if (state === "invalid") return { verdict: "bad", what: `KEYS.${id} at ${url}: ${reason}` };
  return {
    verdict: "ok",
    what: `KEYS.${id} at ${url} is a key${md5 === undefined ? ", a root" : ` with MD5 ${md5}`}, ${state}`,
  };
}

function boundLine(what: string, name: string, bound: ReadonlySet<string>): Line {
  return bound.has(name)
    ? { verdict: "ok", what: `${what} is bound, by wrangler secret list` }
    : { verdict: "bad", what: `${what} is not bound: wrangler secret put ${name}` };
}

/** Red, for a deployment must not go by it. */
function notKnown(what: string): Line {
  return {
    verdict: "bad",
    what: `${what} is not on this machine, and not known to be bound: another Worker was asked`,
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
