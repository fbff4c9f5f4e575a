/** What all requests share: the configuration, the secrets and the key ring, made once for an environment. */
import { Refusals } from "./audit/refusals.ts";
import type { AuditSink } from "./audit/trail.ts";
import type { Jwks } from "./auth/jwks.ts";
import type { Authenticate } from "./auth/vouched.ts";
import { type Bindings, bindingsOf } from "./bindings.ts";
import { type Config, ConfigError, type JwtCaller, loadConfig } from "./config/load.ts";
import { Secrets } from "./config/secrets.ts";
import { KeyRing } from "./keys/ring.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { logError } from "./log.ts";
import { Refused } from "./refused.ts";

export type Env = Readonly<Record<string, unknown>>;

/** What an app is made with. */
export interface Settings {
  readonly limits: Limits;
  readonly authenticate?: Authenticate | undefined;
  readonly audit?: AuditSink | undefined;
}

export class Service {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly ring: KeyRing;
  readonly bindings: Bindings;
  readonly refusals: Refusals;
  readonly limits: Limits;
  readonly authenticate: Authenticate | undefined;
  readonly audit: AuditSink | undefined;
  readonly #jwks = new Map<string, Jwks>();

  /** @throws {ConfigError} */
  constructor(env: Env, { limits, authenticate, audit }: Settings) {
    this.limits = limits;
    this.authenticate = authenticate;
    this.audit = audit;
    this.config = loadConfig(env);
    this.secrets = new Secrets(env);
    this.ring = new KeyRing(this.secrets.read);
    this.bindings = bindingsOf(env);
    this.refusals = new Refusals((name) => this.config.buckets.has(name));
  }

  /** The keys of a caller's issuer; callers that share an address share its keys. */
  jwksOf = async ({ jwks: url }: JwtCaller): Promise<Jwks> => {
    const { Jwks } = await import("./auth/jwks.ts");
    const jwks = this.#jwks.get(url) ?? new Jwks(url, this.limits);
    this.#jwks.set(url, jwks);
    return jwks;
  };
}

/**
 * The service of an environment, configured at its first request.
 *
 * @throws {Refused} `misconfigured`; every mistake is in the log, once
 */
export type ServiceOf = (env: Env) => Service;

/** The services of one app. */
export function services(settings: Settings): ServiceOf {
  const known = new WeakMap<Env, Service | ConfigError>();
  return (env) => {
    let service = known.get(env);
    if (service === undefined) {
      service = configure(env, settings);
      known.set(env, service);
    }
    if (service instanceof ConfigError) throw Refused.misconfigured();
    return service;
  };
}

/** Of what runs without a request. */
export const serviceOf = services({ limits: LIMITS });

function configure(env: Env, settings: Settings): Service | ConfigError {
  try {
    return new Service(env, settings);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { path, message } of error.errors)
      logError({ code: "misconfigured", message: `${path}: ${message}` });
    return error;
  }
}
