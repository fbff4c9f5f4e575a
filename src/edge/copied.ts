/** How much a copy copies, for callers whose uploads are limited in size. */
import type { Store } from "../config/load.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { Refused } from "../refused.ts";
import { lengthOfRange } from "../s3/api/fields.ts";
import type { PresignRequest } from "../s3/api/operations.ts";
import type { Credentials } from "../s3/store/credentials.ts";
import type { ObjectRef, Stored } from "../s3/store/stored.ts";

export interface Copied {
  /** Bytes. */
  readonly length: number;
  /** The field that it comes of. */
  readonly field: "sourceRange" | "source";
  /** What the source must still be like when it is copied: whoever may write it could let it grow. */
  readonly ifSourceMatch?: string;
}

/** Answers for one HTTP request; what it has asked of the store once, it does not ask again. */
export class CopySources {
  readonly #found = new Map<string, Promise<Stored>>();
  readonly #silent = new Set<Store>();

  /** @throws {Refused} precondition-failed; not-found, key-unknown, not-encrypted, store-error, store-timeout */
  async copied(
    { sourceRange, ifSourceMatch }: PresignRequest,
    source: ObjectRef,
    key: CustomerKey,
    credentials: Credentials,
  ): Promise<Copied> {
    const length = sourceRange === undefined ? undefined : lengthOfRange(sourceRange);
    if (length !== undefined) return { length, field: "sourceRange" };
    const { size, etag } = await this.#stored(source, key, credentials);
    if (ifSourceMatch !== undefined && bare(ifSourceMatch) !== bare(etag)) {
      throw new Refused("precondition-failed", "The source is not as ifSourceMatch demands.");
    }
    return { length: size, field: "source", ifSourceMatch: etag };
  }

  async #stored(source: ObjectRef, key: CustomerKey, credentials: Credentials): Promise<Stored> {
    const { store, name } = source.bucket;
    if (this.#silent.has(store))
      throw new Refused("store-timeout", "The store has not answered in time before.");
    const id = JSON.stringify([name, source.key, source.versionId, key.id]);
    const { confirmUnderKey } = await import("../s3/store/stored.ts");
    const stored = this.#found.get(id) ?? confirmUnderKey(source, key, credentials);
    this.#found.set(id, stored);
    try {
      return await stored;
    } catch (error) {
      if (error instanceof Refused && error.reason === "store-timeout") this.#silent.add(store);
      throw error;
    }
  }
}

/** ETags come with their quotes or without. */
function bare(etag: string): string {
  return etag.replaceAll('"', "");
}
