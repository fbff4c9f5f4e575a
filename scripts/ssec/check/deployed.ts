/** What the deployed Worker says of the secrets that are bound there and are not on this machine. */
import type { KeyReport } from "../../../src/routes/keys.ts";
import { Api, type ApiOptions } from "../api.ts";
import type { Line } from "./line.ts";

export interface Deployed {
  readonly url: string;
  /** Whether it can use its configuration and every secret that it names. */
  readonly isUsable: boolean;
  readonly keys: ReadonlyMap<string, KeyReport>;
}

/** The Worker's own word, or a line that says why there is none. */
export async function askDeployed(options: ApiOptions): Promise<Deployed | Line> {
  const { url } = options;
  const hint =
    "where secrets are bound in the Worker alone, it can be asked by --url and SSEC_TOKEN (an admin's)";
  if (!process.env.SSEC_TOKEN) return { verdict: "off", what: hint };
  try {
    const api = new Api(options);
    const { keys } = await api.get<{ keys: KeyReport[] }>("/v1/keys");
    const isUsable = await api.get("/healthz").then(
      () => true,
      () => false,
    );
    return { url, isUsable, keys: new Map(keys.map((key) => [key.id, key])) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { verdict: "warn", what: `the Worker cannot be asked: ${reason}; ${hint}` };
  }
}

/** Of a secret that is no customer key the Worker says only whether all are there. */
export function secretLine(name: string, { url, isUsable, keys }: Deployed): Line {
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

export function keyLine(id: string, { url, keys }: Deployed): Line {
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
