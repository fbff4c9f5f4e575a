/**
 * An issuer's public keys, fetched from its JWKS address and remembered. A key that is not known yet is looked for
 * again, though not at once; an issuer that is down is served from memory; one that was never reached is an outage.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { Problem } from "../problem.ts";

/** Keys are fetched again after it, milliseconds. */
const MAX_AGE = 10 * 60_000;
/** And for a key that is not known, or of an issuer that is down, not more often than this, milliseconds. */
const COOL_DOWN = 30_000;
/** The memory of an issuer that is down counts for so long, milliseconds. */
const MAX_STALENESS = 24 * 60 * 60_000;
/** What an issuer has to answer within, milliseconds. */
const TIME_LIMIT = 5_000;
/** More than the largest key sets in use, bytes. */
const MAX_BYTES = 256 * 1024;

export class Jwks {
  readonly #url: string;
  readonly #now: () => number;
  #known: { find: JWTVerifyGetKey; fetchedAt: number } | undefined;
  /** When they were last asked for because of their age, and because of a key that is not among them. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #soughtAt = Number.NEGATIVE_INFINITY;

  constructor(url: string, now: () => number = Date.now) {
    this.#url = url;
    this.#now = now;
  }

  /**
   * The key that a token's header asks for.
   *
   * @throws {Problem} `unavailable` when the issuer has never been reached
   * @throws {errors.JWKSNoMatchingKey} when it has no such key
   */
  find: JWTVerifyGetKey = async (header, token) => {
    const isOld = this.#age() > MAX_AGE;
    if (isOld) await this.#renew();
    try {
      return await this.#find(header, token);
    } catch (error) {
      if (isOld || !(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#seek();
      return this.#find(header, token);
    }
  };

  #find: JWTVerifyGetKey = (header, token) => {
    if (this.#known === undefined) throw unavailable(this.#url, "has not answered with its keys yet");
    return this.#known.find(header, token);
  };

  async #renew(): Promise<void> {
    if (this.#known !== undefined && this.#now() - this.#renewedAt < COOL_DOWN) return;
    this.#renewedAt = this.#now();
    await this.#refresh();
  }

  /** An issuer may change its keys right after they were fetched, so that only other searches count against one. */
  async #seek(): Promise<void> {
    if (this.#now() - this.#soughtAt < COOL_DOWN) return;
    this.#soughtAt = this.#now();
    await this.#refresh();
  }

  async #refresh(): Promise<void> {
    try {
      this.#known = { find: createLocalJWKSet(await fetchKeys(this.#url)), fetchedAt: this.#now() };
    } catch (error) {
      if (this.#age() > MAX_STALENESS) throw unavailable(this.#url, reasonOf(error));
    }
  }

  #age(): number {
    return this.#known === undefined ? Number.POSITIVE_INFINITY : this.#now() - this.#known.fetchedAt;
  }
}

async function fetchKeys(url: string): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: "application/jwk-set+json, application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(TIME_LIMIT),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  }
  // createLocalJWKSet tells what is no key set.
  return JSON.parse(await readText(response.body));
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`answered more than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return "answered something that is not JSON";
  if (error instanceof errors.JWKSInvalid) return "answered JSON that is not a key set";
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `did not answer within ${TIME_LIMIT / 1000} seconds`;
  }
  return error instanceof Error && /^answered /.test(error.message) ? error.message : "cannot be reached";
}

function unavailable(url: string, reason: string): Problem {
  return new Problem(
    "unavailable",
    "Tokens of this issuer cannot be checked at the moment: try again soon.",
    {
      headers: { "retry-after": "5" },
      operator: `the keys at ${url}: ${reason}`,
    },
  );
}
