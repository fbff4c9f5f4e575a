/**
 * The key ring: every configured key, validated and hashed when a route first needs it and then remembered by
 * its value. A key whose secret is broken stays alone in that.
 */
import { type CustomerKey, CustomerKeyError, customerKey, decodeCustomerKey } from "./customer-key.ts";
import { deriveObjectKey } from "./derive.ts";

/** A key as configured: which secret holds it, and when it may write. Times are milliseconds since the epoch. */
export interface KeyRule {
  readonly id: string;
  /** Name of the bound secret. */
  readonly secret: string;
  /** Whether the secret is a root, of which every object's own key is derived. */
  readonly derive: boolean;
  readonly notBefore?: number | undefined;
  readonly writeUntil?: number | undefined;
}

/** What an object is called in its store; a derived key depends on it. */
export interface ObjectName {
  readonly storeBucket: string;
  readonly key: string;
}

/** Whether a key may write now, may no longer, or may not yet. It opens what was written under it in any state. */
export type KeyState = "active" | "readable" | "pending";

export function keyState(rule: KeyRule, now: number): KeyState {
  if (rule.notBefore !== undefined && now < rule.notBefore) return "pending";
  if (rule.writeUntil !== undefined && now >= rule.writeUntil) return "readable";
  return "active";
}

/** The key that new objects are written under: the first that may write now. */
export function writer(rules: readonly KeyRule[], now: number): KeyRule | undefined {
  return rules.find((rule) => keyState(rule, now) === "active");
}

/** The keys that an object may lie under, likeliest first: a key that may not write yet has hardly written. */
export function readers(rules: readonly KeyRule[], now: number): KeyRule[] {
  const pending = rules.filter((rule) => keyState(rule, now) === "pending");
  return [...rules.filter((rule) => !pending.includes(rule)), ...pending];
}

/** Reads a bound secret; throws with a message for the operator when there is none to read. */
export type ReadSecret = (name: string) => Promise<string>;

interface Validated {
  readonly secret: string;
  readonly outcome: { raw: Uint8Array; shared: CustomerKey } | CustomerKeyError;
}

export class KeyRing {
  readonly #readSecret: ReadSecret;
  readonly #known = new Map<string, Validated>();

  constructor(readSecret: ReadSecret) {
    this.#readSecret = readSecret;
  }

  /**
   * The key of one object: the shared key itself, or the one derived for the object.
   *
   * @throws {CustomerKeyError} when the secret is not bound or not a key
   */
  async keyFor(rule: KeyRule, object: ObjectName): Promise<CustomerKey> {
    const { raw, shared } = await this.#validated(rule);
    return rule.derive ? customerKey(rule.id, deriveObjectKey(raw, object.storeBucket, object.key)) : shared;
  }

  /**
   * The MD5 under which the store knows a shared key; of a root there is none to know.
   *
   * @throws {CustomerKeyError} when the secret is not bound or not a key
   */
  async md5(rule: KeyRule): Promise<string | undefined> {
    const { shared } = await this.#validated(rule);
    return rule.derive ? undefined : shared.md5;
  }

  async #validated(rule: KeyRule): Promise<{ raw: Uint8Array; shared: CustomerKey }> {
    const secret = await this.#read(rule);
    let known = this.#known.get(rule.id);
    if (known?.secret !== secret) {
      known = { secret, outcome: validate(rule, secret) };
      this.#known.set(rule.id, known);
    }
    if (known.outcome instanceof CustomerKeyError) throw known.outcome;
    return known.outcome;
  }

  async #read(rule: KeyRule): Promise<string> {
    try {
      return await this.#readSecret(rule.secret);
    } catch (error) {
      throw new CustomerKeyError(
        error instanceof Error ? error.message : `secret ${rule.secret} is unreadable`,
      );
    }
  }
}

function validate(rule: KeyRule, secret: string): Validated["outcome"] {
  try {
    const raw = decodeCustomerKey(secret);
    return { raw, shared: customerKey(rule.id, raw) };
  } catch (error) {
    if (!(error instanceof CustomerKeyError)) throw error;
    return new CustomerKeyError(`secret ${rule.secret} ${error.message}`);
  }
}
