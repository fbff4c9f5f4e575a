/**
 * A multipart upload, as the service itself drives it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
import type { CreateMultipartUploadCommandInput } from "@aws-sdk/client-s3";
import { Problem } from "../problem.ts";
import type { CustomerKey } from "../ssec/customer-key.ts";
import { type S3Bucket, sseCustomerKey } from "./client.ts";
import type { FieldValues } from "./fields.ts";

export interface UploadedPart {
  readonly partNumber: number;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
}

/** A part as its uploader knows it. */
export type NamedPart = Pick<UploadedPart, "partNumber" | "etag">;

/** What the object that an upload replaces must be like. */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

export class MultipartUpload {
  readonly #bucket: S3Bucket;
  readonly #object: { Bucket: string; Key: string };
  readonly #sse: ReturnType<typeof sseCustomerKey> | undefined;

  /** @param customerKey the one that the upload is, or was, begun with; only to abort none is needed */
  constructor(bucket: S3Bucket, key: string, customerKey: CustomerKey | undefined) {
    this.#bucket = bucket;
    this.#object = { Bucket: bucket.name, Key: key };
    this.#sse = customerKey && sseCustomerKey(customerKey);
  }

  /** @returns the upload id */
  async create(fields: FieldValues): Promise<string> {
    const { UploadId, SSECustomerAlgorithm } = await this.#bucket.run(
      "CreateMultipartUpload",
      ({ CreateMultipartUploadCommand }, client, abortSignal) =>
        client.send(new CreateMultipartUploadCommand({ ...inputOf(fields), ...this.#object, ...this.#sse }), {
          abortSignal,
        }),
    );
    if (UploadId === undefined) throw new Problem("store-error", "The store began no upload.");
    if (SSECustomerAlgorithm !== "AES256") {
      await this.abort(UploadId);
      throw notEncrypted();
    }
    return UploadId;
  }

  /** Every part that the store holds, by number. */
  async list(uploadId: string): Promise<UploadedPart[]> {
    const parts: UploadedPart[] = [];
    let marker: string | undefined;
    do {
      const { Parts, IsTruncated, NextPartNumberMarker } = await this.#bucket.run(
        "ListParts",
        ({ ListPartsCommand }, client, abortSignal) =>
          client.send(
            new ListPartsCommand({
              ...this.#object,
              ...this.#sse,
              UploadId: uploadId,
              ...(marker !== undefined && { PartNumberMarker: marker }),
            }),
            { abortSignal },
          ),
      );
      for (const { PartNumber = 0, Size = 0, ETag = "" } of Parts ?? []) {
        parts.push({ partNumber: PartNumber, size: Size, etag: ETag });
      }
      marker = IsTruncated ? NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return parts;
  }

  async complete(uploadId: string, parts: readonly NamedPart[], conditions: Conditions = {}): Promise<void> {
    const Parts = parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }));
    await this.#bucket.run(
      "CompleteMultipartUpload",
      ({ CompleteMultipartUploadCommand }, client, abortSignal) =>
        client.send(
          new CompleteMultipartUploadCommand({
            ...this.#object,
            ...this.#sse,
            UploadId: uploadId,
            MultipartUpload: { Parts },
            IfMatch: conditions.ifMatch,
            IfNoneMatch: conditions.ifNoneMatch,
          }),
          { abortSignal },
        ),
    );
  }

  /** An upload that is not there any more is aborted already. */
  async abort(uploadId: string): Promise<void> {
    try {
      await this.#bucket.run("AbortMultipartUpload", ({ AbortMultipartUploadCommand }, client, abortSignal) =>
        client.send(new AbortMultipartUploadCommand({ ...this.#object, UploadId: uploadId }), {
          abortSignal,
        }),
      );
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "not-found") throw error;
    }
  }
}

/** A store that does not say that it encrypted has not. */
export function notEncrypted(): Problem {
  return new Problem(
    "store-error",
    "The store did not encrypt the object under the customer key, so it was not kept.",
    {
      operator: "the store did not echo the SSE-C algorithm and the key's MD5: it does not do SSE-C as asked",
    },
  );
}

/** Our fields bear S3's names, but for the case of their first letter. */
function inputOf(fields: FieldValues): Partial<CreateMultipartUploadCommandInput> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [`${name[0]?.toUpperCase()}${name.slice(1)}`, value]),
  );
}
