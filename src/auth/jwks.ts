/**
 * An issuer's public keys, fetched from its JWKS address and remembered. A key that is not known yet is looked for
 * again, though not at once; an issuer that is down is served from memory; one that was never reached is an outage.
 * However many requests come, one at a time asks the issuer, and not again right after it failed.
 */
import type { CryptoKey, JWSHeaderParameters } from "jose";
import { LIMITS, type Limits } from "../limits.ts";
import { Refused } from "../refused.ts";
import { DAY } from "../time.ts";
import { KeySet } from "./key-set.ts";

/** Keys are fetched again after it, milliseconds. */
const MAX_AGE = 10 * 60_000;
/** The memory of an issuer that is down counts for so long, milliseconds. */
const MAX_STALENESS = DAY;
/** A request that has not brought an answer so long after it should have was cut off, milliseconds. */
const LEASE = 1_000;
/** How often a request looks whether another one's answer is there, milliseconds. */
const POLL = 20;
/** More than the largest key sets in use, bytes. */
const MAX_BYTES = 256 * 1024;

export class Jwks {
  readonly #url: string;
  readonly #limits: Limits;
  readonly #now: () => number;
  #known: { readonly keys: KeySet; readonly fetchedAt: number } | undefined;
  /** Since when some request has been fetching. */
  #fetchingSince = Number.NEGATIVE_INFINITY;
  /** When the last fetch failed, and why. */
  #failed = { at: Number.NEGATIVE_INFINITY, reason: "has not answered with its keys yet" };
  /** When they were last asked for because of a key that is not among them. */
  #soughtAt = Number.NEGATIVE_INFINITY;

  constructor(url: string, limits = LIMITS, now: () => number = Date.now) {
    this.#url = url;
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * The keys that a token's header asks for; none when the issuer has no such key, or none that can be used.
   *
   * @throws {Refused} `unavailable` when the issuer has never been reached, or not for a day
   */
  async find(header: JWSHeaderParameters): Promise<CryptoKey[]> {
    const isOld = this.#age() > MAX_AGE;
    if (isOld) await this.#renew();
    const keys = await this.#usable(header);
    if (keys.length > 0 || isOld) return keys;
    await this.#seek();
    return this.#usable(header);
  }

  #usable(header: JWSHeaderParameters): Promise<CryptoKey[]> {
    if (this.#known !== undefined && this.#isRemembered()) return this.#known.keys.usableFor(header);
    const wait = this.#failed.at + this.#limits.jwksRetry - this.#now();
    throw unavailable(this.#url, this.#failed.reason, wait);
  }

  async #renew(): Promise<void> {
    if (this.#isRemembered()) {
      if (!this.#isFetching() && this.#now() - this.#failed.at >= this.#limits.jwksCoolDown)
        await this.#fetch();
      return;
    }
    // Whoever is waited for brings the keys, or fails, or is cut off: then another one asks.
    while (!this.#isRemembered() && this.#now() - this.#failed.at >= this.#limits.jwksRetry) {
      await (this.#isFetching() ? pause() : this.#fetch());
    }
  }

  /** An issuer may change its keys right after they were fetched, so that only other searches count against one. */
  async #seek(): Promise<void> {
    const isSought = this.#isFetching() || this.#now() - this.#soughtAt < this.#limits.jwksCoolDown;
    while (this.#isFetching()) await pause();
    if (isSought) return;
    this.#soughtAt = this.#now();
    await this.#fetch();
  }

  async #fetch(): Promise<void> {
    this.#fetchingSince = this.#now();
    try {
      this.#known = { keys: await fetchKeys(this.#url, this.#limits.jwksAnswer), fetchedAt: this.#now() };
    } catch (error) {
      this.#failed = { at: this.#now(), reason: reasonOf(error, this.#limits.jwksAnswer) };
    } finally {
      this.#fetchingSince = Number.NEGATIVE_INFINITY;
    }
  }

  #isFetching(): boolean {
    return this.#now() - this.#fetchingSince < this.#limits.jwksAnswer + LEASE;
  }

  #isRemembered(): boolean {
    return this.#age() <= MAX_STALENESS;
  }

  #age(): number {
    return this.#known === undefined ? Number.POSITIVE_INFINITY : this.#now() - this.#known.fetchedAt;
  }
}

/**
 * A promise belongs to the request that started it, and never ends when that is cut off. So whoever waits for what another
 * one fetches looks at what that has left here, by a timer of its own.
 */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL));
}

async function fetchKeys(url: string, timeLimit: number): Promise<KeySet> {
  const response = await fetch(url, {
    headers: { accept: "application/jwk-set+json, application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(timeLimit),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  }
  const keys = KeySet.from(JSON.parse(await readText(response.body)));
  if (keys === undefined) throw new Error("answered JSON that is not a key set");
  return keys;
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

function reasonOf(error: unknown, timeLimit: number): string {
  if (error instanceof SyntaxError) return "answered something that is not JSON";
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `did not answer within ${timeLimit / 1000} seconds`;
  }
  return error instanceof Error && /^answered /.test(error.message) ? error.message : "cannot be reached";
}

/** @param wait until it makes sense to try again, milliseconds */
function unavailable(url: string, reason: string, wait: number): Refused {
  return new Refused(
    "unavailable",
    "Tokens of this issuer cannot be checked at the moment: try again soon.",
    {
      retryAfter: Math.max(1, Math.ceil(wait / 1000)),
      operator: `the keys at ${url}: ${reason}`,
    },
  );
}
