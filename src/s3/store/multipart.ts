/**
 * A multipart upload, as the service itself drives it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */

import type { CustomerKey } from "../../keys/customer-key.ts";
import { ALGORITHM_HEADER, customerKeyHeaders } from "../../keys/headers.ts";
import { Refused } from "../../refused.ts";
import { escapeXml } from "../api/escape-xml.ts";
import { type FieldValues, send } from "../api/fields.ts";
import { MAX_LISTED_PARTS, MAX_METADATA_BYTES } from "../api/limits.ts";
import { MARKER_BYTES, MARKER_HEADER, storeUploadId } from "../api/upload-id.ts";
import { markerFor, newNonce, seal } from "../api/upload-seal.ts";
import type { S3Bucket } from "./client.ts";
import { type Asked, didNotEncrypt, storeError } from "./fetch.ts";
import { type Element, elementsOf, numberOf, textOf } from "./xml.ts";

export interface UploadedPart {
  readonly partNumber: number;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** ISO 8601, where the store says it. */
  readonly lastModified?: string;
  /** Its element in XML and its value, where the object's checksum is to be made of those of its parts. */
  readonly checksum?: readonly [element: string, value: string];
}

/** A part as its uploader knows it. */
export type NamedPart = Pick<UploadedPart, "partNumber" | "etag" | "checksum">;

/** What the object that an upload replaces must be like. */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

export class MultipartUpload {
  readonly #store: S3Bucket;
  readonly #key: string;
  readonly #customerKey: CustomerKey | undefined;
  readonly #sse: Readonly<Record<string, string>>;

  /** @param customerKey the one that the upload is, or was, begun with; only to abort none is needed */
  constructor(store: S3Bucket, key: string, customerKey: CustomerKey | undefined) {
    this.#store = store;
    this.#key = key;
    this.#customerKey = customerKey;
    this.#sse = customerKey === undefined ? {} : customerKeyHeaders(customerKey);
  }

  /**
   * @returns the upload's id, sealed: every method here takes it so, or as the store's own
   * @throws {Refused} store-error when it would not be encrypted
   */
  async create(fields: FieldValues): Promise<string> {
    const customerKey = this.#customerKey;
    if (customerKey === undefined) throw new Error("an upload is begun under a key");
    const object = { storeBucket: this.#store.bucket.storeBucket, key: this.#key, customerKey };
    const nonce = newNonce();
    const isMarked = hasRoom(fields.metadata);
    const { headers, element } = await this.#store.run(
      {
        name: "CreateMultipartUpload",
        method: "POST",
        key: this.#key,
        query: { uploads: "" },
        headers: {
          ...send(fields).headers,
          ...(isMarked && { [MARKER_HEADER]: markerFor(nonce, object) }),
          ...this.#sse,
        },
      },
      "InitiateMultipartUploadResult",
    );
    const storeId = textOf(element, "UploadId");
    if (!storeId) throw this.#unreadable("CreateMultipartUpload", "it has no UploadId");
    if (headers.get(ALGORITHM_HEADER) !== "AES256") {
      await this.abort(storeId);
      throw didNotEncrypt();
    }
    return seal(storeId, nonce, isMarked, object);
  }

  /** Every part that the store holds, by number. */
  async list(uploadId: string): Promise<UploadedPart[]> {
    const parts: UploadedPart[] = [];
    let marker: number | undefined = 0;
    while (marker !== undefined) {
      const page = await this.#listPage(uploadId, marker);
      parts.push(...page.parts);
      marker = page.next;
    }
    return parts;
  }

  async #listPage(
    uploadId: string,
    marker: number,
  ): Promise<{ parts: UploadedPart[]; next: number | undefined }> {
    const { element } = await this.#store.run(
      {
        name: "ListParts",
        method: "GET",
        key: this.#key,
        query: {
          uploadId: storeUploadId(uploadId),
          "max-parts": String(MAX_LISTED_PARTS),
          ...(marker > 0 && { "part-number-marker": String(marker) }),
        },
        headers: this.#sse,
      },
      "ListPartsResult",
    );
    const checksumName = partChecksumIn(element);
    const parts = elementsOf(element, "Part").map((part) => {
      const partNumber = numberOf(part, "PartNumber");
      const size = numberOf(part, "Size");
      const etag = textOf(part, "ETag");
      const lastModified = textOf(part, "LastModified")?.trim();
      const value = checksumName && textOf(part, checksumName);
      const checksum = value ? ([checksumName, value] as const) : undefined;
      if (partNumber !== undefined && size !== undefined && etag)
        return {
          partNumber,
          size,
          etag,
          ...(lastModified && { lastModified }),
          ...(checksum && { checksum }),
        };
      throw this.#unreadable("ListParts", "it has a part without number, size or ETag");
    });
    if (textOf(element, "IsTruncated")?.trim() !== "true") return { parts, next: undefined };
    const next = numberOf(element, "NextPartNumberMarker") ?? parts.at(-1)?.partNumber;
    if (next !== undefined && next > marker) return { parts, next };
    throw storeError(this.#asked("ListParts"), "a list that does not end", "its marker does not advance");
  }

  async complete(uploadId: string, parts: readonly NamedPart[], conditions: Conditions = {}): Promise<void> {
    const { ifMatch, ifNoneMatch } = conditions;
    await this.#store.run(
      {
        name: "CompleteMultipartUpload",
        method: "POST",
        key: this.#key,
        query: { uploadId: storeUploadId(uploadId) },
        headers: {
          "content-type": "application/xml",
          ...(ifMatch !== undefined && { "if-match": ifMatch }),
          ...(ifNoneMatch !== undefined && { "if-none-match": ifNoneMatch }),
          ...this.#sse,
        },
        body: documentOf(parts),
      },
      "CompleteMultipartUploadResult",
    );
  }

  /** An upload that is not there any more is aborted already. */
  async abort(uploadId: string): Promise<void> {
    try {
      await this.end(uploadId);
    } catch (error) {
      if (!(error instanceof Refused) || error.reason !== "not-found") throw error;
    }
  }

  /** AbortMultipartUpload. @throws {Refused} not-found where there is no such upload */
  async end(uploadId: string): Promise<void> {
    await this.#store.run(
      {
        name: "AbortMultipartUpload",
        method: "DELETE",
        key: this.#key,
        query: { uploadId: storeUploadId(uploadId) },
      },
      undefined,
    );
  }

  #unreadable(name: string, what: string): Refused {
    return storeError(this.#asked(name), "an answer that cannot be read", what);
  }

  #asked(name: string): Asked {
    return { method: name, bucket: this.#store.bucket };
  }
}

/** Whether the marker fits in beside the caller's own metadata. */
function hasRoom(metadata: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(metadata).flat().join("").length + MARKER_BYTES <= MAX_METADATA_BYTES;
}

/** Where a list of parts has the checksum of each, of an upload that is to be completed with them. */
function partChecksumIn(listed: Element): string | undefined {
  const algorithm = textOf(listed, "ChecksumAlgorithm")?.trim() ?? "";
  const isOfWhole = textOf(listed, "ChecksumType")?.trim() === "FULL_OBJECT";
  return isOfWhole || !/^[A-Z0-9]+$/.test(algorithm) ? undefined : `Checksum${algorithm}`;
}

/**
 * The list of parts, as CompleteMultipartUpload takes it. Without their checksums S3 refuses it where the object's is made
 * of them.
 */
function documentOf(parts: readonly NamedPart[]): string {
  const elements = parts.map(({ partNumber, etag, checksum: [name = "", value = ""] = [] }) => {
    const checksum = name && `<${name}>${escapeXml(value)}</${name}>`;
    return `<Part><PartNumber>${partNumber}</PartNumber><ETag>${escapeXml(etag)}</ETag>${checksum}</Part>`;
  });
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${elements.join("")}</CompleteMultipartUpload>`;
}
