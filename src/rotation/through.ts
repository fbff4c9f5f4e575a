/** Bytes of an object that come here and go again under another key: whole where they are few, else as they come. */
import type { CustomerKey } from "../keys/customer-key.ts";
import { customerKeyHeaders } from "../keys/headers.ts";
import { Refused } from "../refused.ts";
import type { S3Bucket } from "../s3/store/client.ts";
import { refusalOf, sendToStore, storeError, storeTimeout } from "../s3/store/fetch.ts";
import { headObject } from "../s3/store/stored.ts";
import { bare } from "./conditions.ts";
import type { MakePipe } from "./job.ts";

const { createHash } = process.getBuiltinModule("node:crypto");

/** What is held in memory although it could go as it comes, bytes: it can be checked, and sent again. */
const MAX_HELD = 2 * 2 ** 20;
/** Time for a request and its body, milliseconds: so much, and so much for every byte. */
const TIME_LIMIT = 60_000;
const TIME_A_BYTE = 1 / 250;

/** A body for the store. */
export interface Body {
  readonly bytes: Uint8Array | ReadableStream<Uint8Array>;
  readonly length: number;
  /** base64; undefined of what is not held. */
  readonly md5: string | undefined;
  /** Settles when all has been read, or cannot be. */
  readonly read: Promise<void>;
}

export interface Wanted {
  readonly key: string;
  /** Another than the current one. */
  readonly versionId?: string;
  readonly from: CustomerKey | undefined;
  readonly etag: string;
  /** Whether the store says that it is compressed. */
  readonly isEncoded: boolean;
  /** Bytes, the last included; undefined: all. */
  readonly range?: readonly [first: number, last: number];
  readonly length: number;
  /** Whether its MD5 has to be known. */
  readonly isHeld?: boolean;
}

/**
 * @throws {Refused} precondition-failed when it is another object by now, or under another key; what the store's refusal
 *   means
 */
export async function open(store: S3Bucket, wanted: Wanted, pipe: MakePipe | undefined): Promise<Body> {
  const { key, versionId, from, etag, range, length, isEncoded, isHeld = false } = wanted;
  const request = {
    method: "GET",
    bucket: store.bucket,
    key,
    // Runtimes unpack what says that it is compressed; it is to go as it is stored.
    query: {
      "x-id": "GetObject",
      ...(versionId !== undefined && { versionId }),
      ...(isEncoded && { "response-content-encoding": "identity" }),
    },
    headers: {
      ...(range && { range: `bytes=${range[0]}-${range[1]}` }),
      ...(from && customerKeyHeaders(from)),
    },
  };
  const signal = AbortSignal.timeout(timeFor(length));
  const { credentials, transport } = store;
  const response = await sendToStore(request, { credentials, transport, signal, asStored: true });
  if (response.status !== (range ? 206 : 200)) {
    const refused = await refusalOf(response, request);
    // To a key that is not the object's any more stores say 403, or, as Ceph, 400: what they say of any fault.
    if (response.status === 400 || response.status === 403) await demandUnchanged(store, wanted);
    throw refused;
  }
  if (bare(response.headers.get("etag") ?? "") !== bare(etag)) {
    await response.body?.cancel();
    throw new Refused("precondition-failed", "The object was replaced meanwhile.");
  }
  const broken = () =>
    signal.aborted ? storeTimeout() : storeError(request, "an answer that broke off", "while it was read");
  if (pipe !== undefined && response.body !== null && length > MAX_HELD && !isHeld) {
    const { readable, writable } = pipe(length);
    const read = (response.body as ReadableStream<Uint8Array>).pipeTo(writable).catch(() => {
      throw broken();
    });
    // Whoever sends it meets its failure.
    read.catch(() => {});
    return { bytes: readable, length, md5: undefined, read };
  }
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch {
    throw broken();
  }
  if (bytes.length !== length)
    throw storeError(request, `${bytes.length} bytes of ${length}`, "it gave another object than it lists");
  return {
    bytes,
    length,
    md5: createHash("md5").update(bytes).digest("base64"),
    read: Promise.resolve(),
  };
}

/** @throws {Refused} precondition-failed, or not-found, when it is not as it was seen */
export async function demandUnchanged(
  { bucket, credentials, transport }: S3Bucket,
  { key, versionId, from, etag }: Pick<Wanted, "key" | "versionId" | "from" | "etag">,
): Promise<void> {
  const now = await headObject({ bucket, key, versionId }, from, credentials, transport);
  if (now !== undefined && bare(now.stored.etag) === bare(etag)) return;
  throw new Refused("precondition-failed", "The object was replaced meanwhile.");
}

/** What is opened and not sent is not to hold its connection. */
export async function drop({ bytes }: Body): Promise<void> {
  if (bytes instanceof ReadableStream) await bytes.cancel();
}

/** PutObject or UploadPart. @returns the answer's headers */
export async function send(
  store: S3Bucket,
  { key, query }: { key: string; query: Readonly<Record<string, string>> },
  headers: Readonly<Record<string, string>>,
  { bytes, length, md5, read }: Body,
): Promise<Headers> {
  const { bucket, credentials, transport } = store;
  const request = {
    method: "PUT",
    bucket,
    key,
    query: { ...query },
    headers: {
      ...headers,
      "content-length": String(length),
      ...(md5 !== undefined && { "content-md5": md5 }),
    },
  };
  const signal = AbortSignal.timeout(timeFor(length));
  const [sent, wasRead] = await Promise.allSettled([
    sendToStore(request, { credentials, transport, body: bytes, signal }),
    read,
  ]);
  if (sent.status === "rejected") throw wasRead.status === "rejected" ? wasRead.reason : sent.reason;
  const { status, headers: answered, body } = sent.value;
  if (status !== 200) throw await refusalOf(sent.value, request);
  await body?.cancel();
  return answered;
}

function timeFor(bytes: number): number {
  return Math.ceil(TIME_LIMIT + bytes * TIME_A_BYTE);
}
