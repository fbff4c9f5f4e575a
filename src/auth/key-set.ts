/**
 * A key set (RFC 7517, section 5): each of its keys stands by itself, so that one that cannot be used neither fails a
 * request nor hides another.
 */
import { type CryptoKey, createLocalJWKSet, type JWK, type JWSHeaderParameters } from "jose";

/** Shorter ones are broken, bits (RFC 7518, sections 3.3 and 3.5). */
const MIN_RSA_BITS = 2048;

interface Entry {
  readonly kid: unknown;
  /** The key, if it is for the header's algorithm and for signatures. */
  readonly find: (header: JWSHeaderParameters) => Promise<CryptoKey>;
}

export class KeySet {
  readonly #entries: readonly Entry[];

  private constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  /** @param json undefined comes back for what is no key set */
  static from(json: unknown): KeySet | undefined {
    if (typeof json !== "object" || json === null || !("keys" in json) || !Array.isArray(json.keys))
      return undefined;
    return new KeySet(json.keys.flatMap(entryOf));
  }

  /** Every key that a signature may be by: those of the header's `kid`, or all where it names none. */
  async usableFor(header: JWSHeaderParameters): Promise<CryptoKey[]> {
    const usable: CryptoKey[] = [];
    for (const { kid, find } of this.#entries) {
      if (header.kid !== undefined && header.kid !== kid) continue;
      try {
        const key = await find(header);
        if (isStrong(key)) usable.push(key);
      } catch {
        // Of another algorithm, not for signatures, or no key at all.
      }
    }
    return usable;
  }
}

function entryOf(jwk: unknown): Entry[] {
  try {
    // What is no object, or cannot be a key, is told by what this throws.
    return [{ kid: (jwk as JWK).kid, find: createLocalJWKSet({ keys: [jwk as JWK] }) }];
  } catch {
    return [];
  }
}

function isStrong({ algorithm }: CryptoKey): boolean {
  return !("modulusLength" in algorithm) || Number(algorithm.modulusLength) >= MIN_RSA_BITS;
}
