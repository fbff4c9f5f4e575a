/**
 * Bound secrets: Worker secrets are strings, Secrets Store bindings are asked for theirs. Values are remembered
 * for a minute at most, so that a changed secret is picked up without a deployment.
 */

/** How long a Secrets Store value is trusted, milliseconds. */
const MAX_AGE = 60_000;

/** A Secrets Store binding. */
interface SecretsStoreSecret {
  get(): Promise<string>;
}

/** Why a secret cannot be read. The message names the binding and says what to do; it never holds a value. */
export class SecretError extends Error {
  override name = "SecretError";
}

export class Secrets {
  readonly #env: Readonly<Record<string, unknown>>;
  readonly #now: () => number;
  readonly #seen = new Map<string, { value: string; readAt: number }>();

  constructor(env: Readonly<Record<string, unknown>>, now: () => number = Date.now) {
    this.#env = env;
    this.#now = now;
  }

  /**
   * The value of a secret, never empty.
   *
   * @param name name of the binding
   * @throws {SecretError} when it is not bound, empty, or its Secrets Store does not give it
   */
  read = async (name: string): Promise<string> => {
    const binding = Object.hasOwn(this.#env, name) ? this.#env[name] : undefined;
    if (!isSecretsStoreSecret(binding)) return checked(name, binding);
    const seen = this.#seen.get(name);
    if (seen !== undefined && this.#now() - seen.readAt < MAX_AGE) return seen.value;
    return this.#ask(name, binding);
  };

  /** Only values are shared between requests: a promise belongs to the request that started it. */
  async #ask(name: string, binding: SecretsStoreSecret): Promise<string> {
    let given: unknown;
    try {
      given = await binding.get();
    } catch {
      throw new SecretError(
        `secret ${name} cannot be read from its Secrets Store: is it there, and is the store up?`,
      );
    }
    const value = checked(name, given);
    this.#seen.set(name, { value, readAt: this.#now() });
    return value;
  }
}

function checked(name: string, value: unknown): string {
  if (value === undefined || value === null) {
    throw new SecretError(`secret ${name} is not bound: wrangler secret put ${name}`);
  }
  if (typeof value !== "string")
    throw new SecretError(`secret ${name} is bound to something that is not a secret`);
  if (value === "") throw new SecretError(`secret ${name} is empty`);
  return value;
}

function isSecretsStoreSecret(binding: unknown): binding is SecretsStoreSecret {
  return (
    typeof binding === "object" && binding !== null && "get" in binding && typeof binding.get === "function"
  );
}
