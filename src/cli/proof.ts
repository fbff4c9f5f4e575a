/**
 * What a store does with uploads, tried with a throw-away object: in the clear, under the bucket's key, and under a key
 * that is nobody's. Policies are believed only so: there are stores that take one and enforce something else.
 */
import { randomBytes, randomUUID } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type CustomerKey, customerKey, KEY_BYTES } from "../keys/customer-key.ts";
import { type StoreBucket, sseCustomerKey } from "./s3.ts";
import { wordsOf } from "./s3-errors.ts";

export type Outcome = "accepted" | "refused";

export interface Uploads {
  /** PutObject without SSE-C. */
  readonly plain: Outcome;
  /** CreateMultipartUpload without SSE-C. */
  readonly plainMultipart: Outcome;
  /** PutObject under the key. */
  readonly encrypted: Outcome;
  /** A multipart upload under the key, from CreateMultipartUpload to CompleteMultipartUpload. */
  readonly encryptedMultipart: Outcome;
  /** PutObject under a key made for this, which no list of keys can have. */
  readonly strange: Outcome;
}

/** What is to hold, and whether it does. */
export interface Finding {
  readonly what: string;
  readonly holds: boolean;
}

/** A name for a throw-away object that nobody else uses. */
export function throwAwayKey(prefix: string): string {
  return `${prefix}.ssec-edge-proof-${randomUUID()}`;
}

/**
 * Tries each way of uploading; whatever was stored is removed again, whatever happens.
 *
 * @param objectKey a throw-away one
 * @throws what the store answered where that is neither yes nor 403; when it stores SSE-C in the clear; when the object
 * cannot be removed
 */
export async function tryUploads(bucket: StoreBucket, objectKey: string, key: CustomerKey): Promise<Uploads> {
  const trial = new Trial(bucket, objectKey);
  try {
    return {
      plain: await trial.put(undefined),
      plainMultipart: await trial.multipart(undefined),
      encrypted: await trial.put(key),
      encryptedMultipart: await trial.multipart(key),
      strange: await trial.put(customerKey("nobody's", randomBytes(KEY_BYTES))),
    };
  } finally {
    await trial.remove();
  }
}

class Trial {
  readonly #client: StoreBucket["client"];
  readonly #object: { Bucket: string; Key: string };
  /** Versions that were stored; undefined where the store keeps none, or did not say. */
  readonly #versions = new Set<string | undefined>();
  readonly #uploads = new Set<string | undefined>();

  constructor({ client, name }: StoreBucket, objectKey: string) {
    this.#client = client;
    this.#object = { Bucket: name, Key: objectKey };
  }

  async put(key: CustomerKey | undefined): Promise<Outcome> {
    const put = new PutObjectCommand({ ...this.#object, Body: "proof", ...(key && sseCustomerKey(key)) });
    const answer = await this.#answer(this.#client.send(put));
    if (answer === undefined) return "refused";
    this.#versions.add(answer.VersionId);
    checkEncrypted(key, answer);
    return "accepted";
  }

  async multipart(key: CustomerKey | undefined): Promise<Outcome> {
    const sse = key && sseCustomerKey(key);
    const create = new CreateMultipartUploadCommand({ ...this.#object, ...sse });
    const created = await this.#answer(this.#client.send(create));
    if (created === undefined) return "refused";
    const { UploadId } = created;
    this.#uploads.add(UploadId);
    // Nothing in the clear is written without need: to have begun is enough.
    if (key === undefined) return "accepted";
    const upload = { ...this.#object, UploadId, ...sse };
    const part = await this.#answer(
      this.#client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "proof" })),
    );
    if (part === undefined) return "refused";
    checkEncrypted(key, part);
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
    const completed = await this.#answer(
      this.#client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload })),
    );
    if (completed === undefined) return "refused";
    this.#uploads.delete(UploadId);
    this.#versions.add(completed.VersionId);
    return "accepted";
  }

  async remove(): Promise<void> {
    try {
      for (const UploadId of this.#uploads) {
        await this.#client.send(new AbortMultipartUploadCommand({ ...this.#object, UploadId }));
      }
      for (const VersionId of this.#versions) {
        await this.#client.send(new DeleteObjectCommand({ ...this.#object, VersionId }));
      }
    } catch (error) {
      throw new Error(`the throw-away object ${this.#object.Key} could not be removed: ${wordsOf(error)}`);
    }
  }

  /** Undefined where the store refuses with 403. */
  async #answer<T>(sent: Promise<T>): Promise<T | undefined> {
    try {
      return await sent;
    } catch (error) {
      const status = statusOf(error);
      if (status === 403) return undefined;
      // Without an answer nobody knows whether it was stored.
      if (status === undefined) this.#versions.add(undefined);
      throw error;
    }
  }
}

/** An upload counts as encrypted only when the answer says so. */
function checkEncrypted(
  key: CustomerKey | undefined,
  answer: { readonly SSECustomerAlgorithm?: string | undefined },
): void {
  if (key === undefined || answer.SSECustomerAlgorithm === "AES256") return;
  throw new Error(
    "the store takes SSE-C headers and does not say that it encrypts: do not trust it with data",
  );
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
