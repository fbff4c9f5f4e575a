/**
 * A large object, part by part, each of which the store copies, or gives and takes. The store's own list of parts is what
 * there is: whoever goes on asks for it, so that the ledger need not hold thousands of them.
 */

import type { CustomerKey } from "../keys/customer-key.ts";
import { copySourceKeyHeaders, customerKeyHeaders } from "../keys/headers.ts";
import { copySourceHeader } from "../s3/api/fields.ts";
import { choosePartSize, partCountOf, partLength } from "../s3/api/plan.ts";
import type { S3Bucket } from "../s3/store/client.ts";
import { storeError } from "../s3/store/fetch.ts";
import { MultipartUpload, type NamedPart, type UploadedPart } from "../s3/store/multipart.ts";
import { textOf } from "../s3/store/xml.ts";
import { bare, ifMatch, ifSourceMatch } from "./conditions.ts";
import type { MakePipe } from "./job.ts";
import type { Limits } from "./limits.ts";
import type { Ways } from "./state.ts";
import { open, send } from "./through.ts";

/** What the store may take to copy a part, milliseconds. */
const TIME_LIMIT = 300_000;

export interface Upload {
  readonly store: S3Bucket;
  readonly key: string;
  /** Undefined: in the clear. */
  readonly from: CustomerKey | undefined;
  readonly to: CustomerKey;
  /** Of what is uploaded anew, and how large that is, bytes. */
  readonly etag: string;
  readonly size: number;
  readonly isEncoded: boolean;
  readonly ways: Ways;
  readonly limits: Limits;
  readonly pipe: MakePipe | undefined;
}

/** @param headers all that the object has beside its bytes. @returns the store's id */
export async function begin(
  { store, key, to }: Pick<Upload, "store" | "key" | "to">,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const { element } = await store.run(
    {
      name: "CreateMultipartUpload",
      method: "POST",
      key,
      query: { uploads: "" },
      headers: { ...headers, ...customerKeyHeaders(to) },
    },
    "InitiateMultipartUploadResult",
  );
  const uploadId = textOf(element, "UploadId");
  if (uploadId) return uploadId;
  throw storeError(
    { method: "CreateMultipartUpload", bucket: store.bucket },
    "an answer that cannot be read",
    "it has no UploadId",
  );
}

/** The parts that the store has already. @throws {Refused} not-found when there is no such upload any more */
export function partsOf({ store, key, to }: Upload, uploadId: string): Promise<UploadedPart[]> {
  return new MultipartUpload(store, key, to).list(uploadId);
}

export function partSizeOf({ size, ways, limits }: Upload): number {
  const least = choosePartSize(size);
  return ways.copiesParts ? Math.max(least, limits.copiedPart) : least;
}

/** The numbers of all parts. */
export function numbersOf(upload: Upload): number[] {
  return Array.from({ length: partCountOf(upload.size, partSizeOf(upload)) }, (_, i) => i + 1);
}

/** Of a part, bytes. */
export function lengthOf(upload: Upload, partNumber: number): number {
  return partLength(upload.size, partSizeOf(upload), partNumber) ?? 0;
}

export async function putPart(upload: Upload, uploadId: string, partNumber: number): Promise<NamedPart> {
  const { store, key, from, to, etag, isEncoded, ways, pipe } = upload;
  const partSize = partSizeOf(upload);
  const length = lengthOf(upload, partNumber);
  const first = (partNumber - 1) * partSize;
  const range = [first, first + length - 1] as const;
  if (ways.copiesParts) return copyPart(upload, uploadId, partNumber, range);
  const body = await open(store, { key, from, etag, isEncoded, range, length }, pipe);
  const query = { "x-id": "UploadPart", partNumber: String(partNumber), uploadId };
  const headers = await send(store, { key, query }, customerKeyHeaders(to), body);
  return { partNumber, etag: headers.get("etag") ?? "" };
}

async function copyPart(
  { store, key, from, to, etag, ways }: Upload,
  uploadId: string,
  partNumber: number,
  [first, last]: readonly [number, number],
): Promise<NamedPart> {
  const { element } = await store.run(
    {
      name: "UploadPartCopy",
      method: "PUT",
      key,
      query: { "x-id": "UploadPartCopy", partNumber: String(partNumber), uploadId },
      headers: {
        "x-amz-copy-source": copySourceHeader(store.bucket.storeBucket, { key }),
        "x-amz-copy-source-range": `bytes=${first}-${last}`,
        ...ifSourceMatch(ways.ifSourceMatch, etag),
        ...(from && copySourceKeyHeaders(from)),
        ...customerKeyHeaders(to),
      },
      timeLimit: TIME_LIMIT,
    },
    "CopyPartResult",
  );
  return { partNumber, etag: textOf(element, "ETag") ?? "" };
}

/** @returns the new ETag, where the store tells it */
export async function complete(
  { store, key, to, etag, ways }: Upload,
  uploadId: string,
  parts: readonly NamedPart[],
): Promise<void> {
  const inOrder = [...parts].sort((a, b) => a.partNumber - b.partNumber);
  const { "if-match": condition } = ifMatch(ways.ifMatchOfComplete, etag);
  await new MultipartUpload(store, key, to).complete(uploadId, inOrder, { ifMatch: condition });
}

/** An upload that is not there any more is aborted already. */
export function abort({ store, key }: Pick<Upload, "store" | "key">, uploadId: string): Promise<void> {
  return new MultipartUpload(store, key, undefined).abort(uploadId);
}

export function isReplaced(etag: string, now: string): boolean {
  return bare(etag) !== bare(now);
}
