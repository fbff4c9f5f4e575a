/** What bounds the service itself, whoever calls and whatever store it talks to; a store's own time is `timeLimit` in its table. */

export interface Limits {
  /** How long a client may send nothing in the middle of a body, milliseconds. */
  readonly clientSilence: number;
  /** How long the rest of a body that is refused is still taken, so that its sender hears of it, milliseconds. */
  readonly linger: number;
  /** How long an upload that is under way waits for memory, milliseconds. */
  readonly memoryWait: number;
  /** Of the 128 MB that an instance has, what uploads may hold together, bytes. */
  readonly memory: number;
  /** How long refusals that are alike are counted before their number is told to the queue, milliseconds. */
  readonly refusalsCounted: number;
  /** What an issuer of JWTs has to answer with its keys, milliseconds. */
  readonly jwksAnswer: number;
  /** An issuer without whose keys nobody is let in is asked again so long after it failed, milliseconds. */
  readonly jwksRetry: number;
  /** How often at most an issuer is asked for a key that is not known, or while it is down, milliseconds. */
  readonly jwksCoolDown: number;
}

export const LIMITS: Limits = {
  clientSilence: 60_000,
  linger: 5_000,
  memoryWait: 20_000,
  memory: 64 * 2 ** 20,
  refusalsCounted: 5_000,
  jwksAnswer: 5_000,
  jwksRetry: 5_000,
  jwksCoolDown: 30_000,
};

/**
 * The limits, as far as they are given, and the defaults of the others.
 *
 * @throws {TypeError} for a name that is no limit, or a value that is no whole number above 0
 */
export function limitsOf(given: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(LIMITS, name))
      throw new TypeError(`limits.${name} is no limit (there are: ${Object.keys(LIMITS).join(", ")})`);
    if (!Number.isSafeInteger(value) || value < 1)
      throw new TypeError(`limits.${name} must be a whole number above 0`);
  }
  return { ...LIMITS, ...given };
}
