/**
 * Which customer key a request goes with. New objects: the one that writes now. A running multipart upload: the one
 * that it was begun with, which is shown and not believed. Stored objects: the one named, the only one, or the one that the store accepts.
 */
import type { Bucket, Store } from "../../config/load.ts";
import type { Secrets } from "../../config/secrets.ts";
import { type CustomerKey, CustomerKeyError } from "../../keys/customer-key.ts";
import { type KeyRing, type KeyRule, readers, writer } from "../../keys/ring.ts";
import { Refused } from "../../refused.ts";
import { isListed, isSealed, storeUploadId } from "../api/upload-id.ts";
import { credentialsOf } from "./credentials.ts";
import { lastFound, remember } from "./found-keys.ts";
import type { ObjectRef } from "./stored.ts";
import { timeLimitsOf } from "./time-limits.ts";

/** How often an object is looked for anew that lies under another key by the time that its own is used. */
const MOVES = 4;

interface Wanted extends ObjectRef {
  /** The key that the caller names, and where in the request they did. */
  readonly keyId?: string | undefined;
  readonly keyIdPath: string;
}

interface WantedUpload extends Wanted {
  /** With its seal, or the store's own. */
  readonly uploadId: string;
}

/** Answers for one HTTP request; what it has asked of the store once, it does not ask again. */
export class WhichKey {
  readonly #ring: KeyRing;
  readonly #secrets: Secrets;
  readonly #found = new Map<string, Promise<CustomerKey>>();
  readonly #silent = new Set<Store>();

  constructor({ ring, secrets }: { ring: KeyRing; secrets: Secrets }) {
    this.#ring = ring;
    this.#secrets = secrets;
  }

  /** @throws {Refused} no-writable-key, key-invalid; invalid-request when another key is named */
  async forNew({ bucket, key, keyId, keyIdPath }: Wanted): Promise<CustomerKey> {
    const rule = writer(bucket.keys, Date.now());
    if (rule === undefined) {
      throw new Refused(
        "no-writable-key",
        "None of this bucket's keys may write now: their dates do not allow it.",
      );
    }
    if (keyId !== undefined && keyId !== rule.id) {
      throw Refused.field(
        keyIdPath,
        `new objects in this bucket are written under "${rule.id}" now: leave keyId out`,
      );
    }
    return this.#keyFor(rule, bucket, key);
  }

  /**
   * The key that the upload was begun with. The key that writes now is everybody's who may write; another is given only for
   * an upload that is shown to be under it, by the seal of its id or by the store.
   *
   * @throws {Refused} no-writable-key, key-invalid; invalid-request when the named key is not the bucket's; not-found,
   * conflict: there is no such upload under it; key-unknown: it is under none; store-error, store-timeout
   */
  async forUpload(wanted: WantedUpload): Promise<CustomerKey> {
    const { bucket, key, keyId, keyIdPath, uploadId } = wanted;
    const rule = keyId === undefined ? undefined : named(bucket, keyId, keyIdPath);
    if (isSealed(uploadId)) return this.#forSealed(wanted, rule);
    if (rule === undefined) return isListed(uploadId) ? this.#forListed(wanted) : this.forNew(wanted);
    if (rule === writer(bucket.keys, Date.now())) return this.#keyFor(rule, bucket, key);
    const id = JSON.stringify([bucket.name, key, rule.id, uploadId]);
    const found = this.#found.get(id) ?? this.#prove(wanted, rule);
    this.#found.set(id, found);
    return found;
  }

  async #forSealed({ bucket, key, uploadId }: WantedUpload, rule: KeyRule | undefined): Promise<CustomerKey> {
    const { storeBucket } = bucket;
    const { isGenuine } = await import("../api/upload-seal.ts");
    for (const candidate of rule === undefined ? readers(bucket.keys, Date.now()) : [rule]) {
      const customerKey = await this.#candidate(candidate, bucket, key);
      if (customerKey instanceof Refused) {
        if (rule !== undefined) throw customerKey;
      } else if (isGenuine(uploadId, { storeBucket, key, customerKey })) return customerKey;
    }
    throw new Refused(
      "not-found",
      "There is no such multipart upload: bucket, key, keyId and uploadId must be those with which it was begun.",
    );
  }

  async #prove({ bucket, key, uploadId }: WantedUpload, rule: KeyRule): Promise<CustomerKey> {
    const customerKey = await this.#keyFor(rule, bucket, key);
    const credentials = await credentialsOf(bucket.store, this.#secrets);
    // It is seldom needed: nearly all go on under the key that writes, or have a seal.
    const { proveUnderKey } = await import("./upload-proof.ts");
    await proveUnderKey({ bucket, key, uploadId: storeUploadId(uploadId) }, customerKey, credentials);
    return customerKey;
  }

  /** An upload that nothing but the store has told of: it shows which key it takes, or goes on under the one that writes. */
  async #forListed(wanted: WantedUpload): Promise<CustomerKey> {
    const { bucket, key } = wanted;
    const upload = { bucket, key, uploadId: storeUploadId(wanted.uploadId) };
    const credentials = await credentialsOf(bucket.store, this.#secrets);
    const { showsKey, takesKey } = await import("./upload-proof.ts");
    const writes = writer(bucket.keys, Date.now());
    const isOnly = bucket.keys.every((rule) => rule === writes);
    if (isOnly || !(await showsKey(upload, credentials))) return this.forNew(wanted);
    for (const rule of readers(bucket.keys, Date.now())) {
      const candidate = await this.#candidate(rule, bucket, key);
      if (!(candidate instanceof Refused) && (await takesKey(upload, candidate, credentials)))
        return candidate;
    }
    throw new Refused("key-unknown", "The upload is under none of this bucket's keys.");
  }

  /**
   * @throws {Refused} key-invalid; invalid-request when the named key is not the bucket's; where the store has to be
   * asked: not-found, key-unknown, not-encrypted, store-error, store-timeout
   */
  async forStored(wanted: Wanted): Promise<CustomerKey> {
    const { bucket, key, keyId, keyIdPath } = wanted;
    if (keyId !== undefined) return this.#keyFor(named(bucket, keyId, keyIdPath), bucket, key);
    const [only, ...others] = bucket.keys;
    if (only !== undefined && others.length === 0) return this.#keyFor(only, bucket, key);

    const id = idOf(wanted);
    const found = this.#found.get(id) ?? this.#search(wanted);
    this.#found.set(id, found);
    return found;
  }

  /**
   * Does what needs the key of a stored object. A rotation or a writer may give the object another after its key was found,
   * and before it is used: then the key is looked for anew.
   *
   * @throws {Refused} what `forStored` and `work` throw; key-unknown of `work` where there is no other key, or never the right one
   */
  async underStored<R>(wanted: Wanted, work: (key: CustomerKey) => Promise<R>): Promise<R> {
    const isSought = wanted.keyId === undefined && wanted.bucket.keys.length > 1;
    for (let move = 0; ; move++) {
      const key = await this.forStored(wanted);
      try {
        return await work(key);
      } catch (error) {
        const hasMoved = error instanceof Refused && error.reason === "key-unknown";
        if (!hasMoved || !isSought || move === MOVES) throw error;
        this.#found.delete(idOf(wanted));
      }
    }
  }

  async #search({ bucket, key, versionId }: ObjectRef): Promise<CustomerKey> {
    const { store } = bucket;
    if (this.#silent.has(store))
      throw new Refused("store-timeout", "The store has not answered in time before.");
    const deadline = AbortSignal.timeout(timeLimitsOf(store).lookUp);
    // Of a bucket with one key nothing is asked.
    const { Probe } = await import("./probe.ts");
    const probe = new Probe({ bucket, key, versionId }, await credentialsOf(store, this.#secrets), deadline);
    let invalid: Refused | undefined;
    const rules = likeliestFirst(readers(bucket.keys, Date.now()), lastFound({ bucket, key, versionId }));
    try {
      // A rotation may re-encrypt it under a key that was tried already, before the one that it was under is.
      for (const rule of [...rules, ...rules]) {
        const candidate = await this.#candidate(rule, bucket, key);
        if (candidate instanceof Refused) invalid ??= candidate;
        else if (await probe.opens(candidate)) {
          remember({ bucket, key, versionId }, candidate.id);
          return candidate;
        }
      }
      const refused = await probe.explain();
      // The object may well lie under the key that cannot be tried.
      throw refused.reason === "key-unknown" && invalid !== undefined ? invalid : refused;
    } finally {
      if (deadline.aborted) this.#silent.add(store);
    }
  }

  async #candidate(rule: KeyRule, bucket: Bucket, key: string): Promise<CustomerKey | Refused> {
    try {
      return await this.#keyFor(rule, bucket, key);
    } catch (error) {
      if (error instanceof Refused && error.reason === "key-invalid") return error;
      throw error;
    }
  }

  async #keyFor(rule: KeyRule, { storeBucket }: Bucket, key: string): Promise<CustomerKey> {
    try {
      return await this.#ring.keyFor(rule, { storeBucket, key });
    } catch (error) {
      if (!(error instanceof CustomerKeyError)) throw error;
      throw new Refused(
        "key-invalid",
        "The customer key cannot be used; the service's operator can see why.",
        { operator: `KEYS.${rule.id}: ${error.message}` },
      );
    }
  }
}

function idOf({ bucket, key, versionId }: ObjectRef): string {
  return JSON.stringify([bucket.name, key, versionId]);
}

function likeliestFirst(rules: readonly KeyRule[], id: string | undefined): readonly KeyRule[] {
  return [...rules.filter((rule) => rule.id === id), ...rules.filter((rule) => rule.id !== id)];
}

function named({ keys }: Bucket, keyId: string, path: string): KeyRule {
  const rule = keys.find(({ id }) => id === keyId);
  if (rule === undefined) {
    throw Refused.field(path, `is none of this bucket's keys (${keys.map(({ id }) => id).join(", ")})`);
  }
  return rule;
}
