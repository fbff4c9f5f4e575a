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
import { sseCustomerKey } from "../../src/s3/client.ts";
import { type CustomerKey, customerKey, KEY_BYTES } from "../../src/ssec/customer-key.ts";
import { type StoreBucket, wordsOf } from "./s3.ts";

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
  /** Versions that were stored; undefined where the store keeps none, or did not come to say. */
  readonly #versions = new Set<string | undefined>();
  readonly #uploads = new Set<string | undefined>();

  constructor({ client, name }: StoreBucket, objectKey: string) {
    this.#client = client;
    this.#object = { Bucket: name, Key: objectKey };
  }

  put(key: CustomerKey | undefined): Promise<Outcome> {
    const sse = key && sseCustomerKey(key);
    return this.#stored(async () => {
      const put = new PutObjectCommand({ ...this.#object, Body: "proof", ...sse });
      return checkEncrypted(key, await this.#client.send(put));
    });
  }

  multipart(key: CustomerKey | undefined): Promise<Outcome> {
    const sse = key && sseCustomerKey(key);
    return this.#stored(async () => {
      const created = await this.#client.send(new CreateMultipartUploadCommand({ ...this.#object, ...sse }));
      this.#uploads.add(created.UploadId);
      const upload = { ...this.#object, UploadId: created.UploadId, ...sse };
      // Nothing in the clear is written without need: to have begun is enough.
      if (key === undefined) return {};
      const part = new UploadPartCommand({ ...upload, PartNumber: 1, Body: "proof" });
      const { ETag } = checkEncrypted(key, await this.#client.send(part));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      const completed = await this.#client.send(
        new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }),
      );
      this.#uploads.delete(created.UploadId);
      return completed;
    });
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

  async #stored(upload: () => Promise<{ VersionId?: string | undefined }>): Promise<Outcome> {
    try {
      const { VersionId } = await upload();
      this.#versions.add(VersionId);
      return "accepted";
    } catch (error) {
      if (statusOf(error) === 403) return "refused";
      this.#versions.add(undefined);
      throw error;
    }
  }
}

/** An upload counts as encrypted only when the answer says so. */
function checkEncrypted<T extends { SSECustomerAlgorithm?: string | undefined }>(
  key: CustomerKey | undefined,
  answer: T,
): T {
  if (key === undefined || answer.SSECustomerAlgorithm === "AES256") return answer;
  throw new Error(
    "the store takes SSE-C headers and does not say that it encrypts: do not trust it with data",
  );
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
