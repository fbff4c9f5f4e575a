/**
 * An object on its way from a client to the store, through the edge, without being held. It counts only when the store
 * has said that it is encrypted under our key; until then nothing is there that a reader could take for whole.
 */
import type { Bucket } from "../config/load.ts";
import { describeUnforeseen, logError } from "../log.ts";
import { Problem } from "../problem.ts";
import { S3Bucket } from "../s3/client.ts";
import type { Credentials } from "../s3/credentials.ts";
import { refusalOf, sendToStore, storeTimeout } from "../s3/fetch.ts";
import { type FieldValues, send } from "../s3/fields.ts";
import { MultipartUpload, type NamedPart, notEncrypted } from "../s3/multipart.ts";
import type { CustomerKey } from "../ssec/customer-key.ts";
import { customerKeyHeaders } from "../ssec/headers.ts";
import { completeUpload } from "./complete.ts";
import { MAX_PARTS } from "./plan.ts";
import { isUnderKey } from "./stored.ts";

/** What the store has to take a piece of the body, milliseconds. */
const STALL_LIMIT = 20_000;
/** What it has to answer once it has all of the body, milliseconds. */
const ANSWER_LIMIT = 30_000;
/** How long the rest of a body that is not wanted any more is taken, milliseconds. */
const LINGER = 5_000;
/** What is moved at once, bytes. */
const PIECE = 256 * 1024;
/** How often a part that is still in memory is sent, when the store fails. */
const ATTEMPTS = 3;

export interface Upload {
  readonly bucket: Bucket;
  readonly key: string;
  /** Content headers, metadata and conditions, as fields of PutObject. */
  readonly fields: FieldValues;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
}

export interface Uploaded {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly versionId?: string;
}

/**
 * Sends a body of known length as one PUT.
 *
 * @throws {Problem} invalid-request when the body is shorter or longer; what the store's refusal means; store-timeout
 */
export async function putObject(
  body: ReadableStream<Uint8Array>,
  length: number,
  upload: Upload,
): Promise<Uploaded> {
  const { readable, writable } = new FixedLengthStream(length);
  const end = new AbortController();
  let cause: Problem | undefined;
  const stop = (problem: Problem) => {
    cause ??= problem;
    end.abort();
  };
  let answerTimer: ReturnType<typeof setTimeout> | undefined;
  const sent = pump(body, writable, { onStall: () => stop(storeTimeout()), signal: end.signal }).then(
    () => {
      if (!end.signal.aborted) answerTimer = setTimeout(() => stop(storeTimeout()), ANSWER_LIMIT);
    },
    () =>
      stop(
        new Problem(
          "invalid-request",
          `The body broke off before the ${length} bytes of its content-length.`,
        ),
      ),
  );
  try {
    return await put(readable, length, upload, end.signal);
  } catch (error) {
    throw cause ?? error;
  } finally {
    // The store may have answered before it had everything.
    end.abort();
    await sent;
    clearTimeout(answerTimer);
  }
}

async function put(
  body: ReadableStream<Uint8Array> | Uint8Array,
  size: number,
  { bucket, key, fields, customerKey, credentials }: Upload,
  signal: AbortSignal,
): Promise<Uploaded> {
  const request = {
    method: "PUT",
    bucket,
    key,
    query: { "x-id": "PutObject" },
    headers: { ...send(fields).headers, "content-length": String(size), ...customerKeyHeaders(customerKey) },
  };
  const response = await sendToStore(request, { credentials, body, signal });
  if (response.status !== 200) throw await refusalOf(response, request);
  await response.body?.cancel();
  const versionId = response.headers.get("x-amz-version-id") ?? undefined;
  if (!isUnderKey(response.headers, customerKey)) {
    await removeObject({ bucket, key, versionId, credentials });
    throw notEncrypted();
  }
  return { size, etag: response.headers.get("etag") ?? "", ...(versionId !== undefined && { versionId }) };
}

/** Sends what is in memory as one PUT. */
export function putBytes(bytes: Uint8Array, upload: Upload): Promise<Uploaded> {
  return put(bytes, bytes.length, upload, AbortSignal.timeout(ANSWER_LIMIT));
}

/** DeleteObject; an object that is not there is gone already. */
export async function removeObject({
  bucket,
  key,
  versionId,
  credentials,
}: Pick<Upload, "bucket" | "key" | "credentials"> & { versionId?: string | undefined }): Promise<void> {
  const query = { "x-id": "DeleteObject", ...(versionId !== undefined && { versionId }) };
  const request = { method: "DELETE", bucket, key, query, headers: {} };
  const response = await sendToStore(request, { credentials, timeLimit: ANSWER_LIMIT });
  if (response.status === 204 || response.status === 200 || response.status === 404) {
    await response.body?.cancel();
    return;
  }
  throw await refusalOf(response, request);
}

export interface PartsOptions {
  /** Bytes of every part but the last. One part is read while another is sent: both are in memory. */
  readonly partSize: number;
  /** Of the whole, where it is known. */
  readonly length: number | undefined;
}

/**
 * Sends a body in parts, of which each is held until the store has it; what turns out to fit one part goes as one PUT.
 *
 * @throws {Problem} as `putObject` does; whatever was begun at the store is ended there
 */
export async function putInParts(
  body: ReadableStream<Uint8Array>,
  upload: Upload,
  { partSize, length }: PartsOptions,
): Promise<Uploaded> {
  const pieces = new Pieces(body, partSize);
  const first = await pieces.next();
  if (pieces.isOver) {
    checkLength(first.length, length);
    return putBytes(first, upload);
  }
  const { bucket, key, fields, customerKey, credentials } = upload;
  // The conditions are for the object, which there is only in the end.
  const { ifMatch, ifNoneMatch, ...begun } = fields;
  const parts = new MultipartUpload(new S3Bucket(bucket, credentials), key, customerKey);
  const uploadId = await parts.create(begun);
  try {
    const named: NamedPart[] = [];
    let size = 0;
    for (let piece = first; piece.length > 0; ) {
      if (named.length === MAX_PARTS) throw tooLarge(partSize);
      size += piece.length;
      const sending = sendPart(piece, named.length + 1, uploadId, upload);
      // Its failure is met below, if the body does not fail first: it is never unheard.
      sending.catch(() => {});
      const next = await pieces.next();
      named.push(await sending);
      pieces.reuse(piece);
      piece = next;
    }
    checkLength(size, length);
    const { stored } = await completeUpload({
      upload: parts,
      uploadId,
      conditions: { ifMatch, ifNoneMatch },
      parts: named,
      size,
      object: { bucket, key },
      customerKey,
      credentials,
      checkLength: () => {},
    });
    return { size, etag: stored.etag };
  } catch (error) {
    await pieces.discard();
    await parts.abort(uploadId).catch((failure: unknown) => {
      // The parts stay, and cost, until the bucket's lifecycle ends them.
      logError({
        code: "store-error",
        message: `an upload was not aborted: ${describeUnforeseen(failure).message}`,
      });
    });
    throw error;
  }
}

async function sendPart(
  bytes: Uint8Array,
  partNumber: number,
  uploadId: string,
  upload: Upload,
): Promise<NamedPart> {
  const { bucket, key, customerKey, credentials } = upload;
  const request = {
    method: "PUT",
    bucket,
    key,
    query: { "x-id": "UploadPart", partNumber: String(partNumber), uploadId },
    headers: { "content-length": String(bytes.length), ...customerKeyHeaders(customerKey) },
  };
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await sendToStore(request, {
        credentials,
        body: bytes,
        timeLimit: ANSWER_LIMIT,
      });
      if (response.status !== 200) throw await refusalOf(response, request);
      await response.body?.cancel();
      if (!isUnderKey(response.headers, customerKey)) throw notEncrypted();
      return { partNumber, etag: response.headers.get("etag") ?? "" };
    } catch (error) {
      const isLast =
        attempt === ATTEMPTS ||
        !(error instanceof Problem) ||
        !["store-error", "store-timeout"].includes(error.code);
      if (isLast) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * 4 ** (attempt - 1)));
    }
  }
}

function checkLength(length: number, declared: number | undefined): void {
  if (declared === undefined || length === declared) return;
  throw new Problem(
    "invalid-request",
    `The body had ${length} bytes, not the ${declared} of its content-length.`,
  );
}

function tooLarge(partSize: number): Problem {
  return new Problem(
    "too-large",
    `More than ${partSize * MAX_PARTS} bytes of unknown length do not go through the edge: use /v1/multipart.`,
  );
}

/** A body, cut into pieces of one size; the last may be shorter, and beyond it they are empty. */
class Pieces {
  /** Whether the body has ended: no further piece holds anything. */
  isOver = false;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #size: number;
  readonly #spare: ArrayBufferLike[] = [];

  constructor(body: ReadableStream<Uint8Array>, size: number) {
    this.#reader = body.getReader({ mode: "byob" });
    this.#size = size;
  }

  async next(): Promise<Uint8Array> {
    let buffer = this.#spare.pop() ?? new ArrayBuffer(this.#size);
    let length = 0;
    while (length < this.#size && !this.isOver) {
      const { isOver, bytes } = await readInto(buffer, this.#reader, {
        offset: length,
        min: this.#size - length,
      });
      this.isOver = isOver;
      length += bytes.length;
      buffer = bytes.buffer;
    }
    return new Uint8Array(buffer, 0, length);
  }

  /** Gives a piece's memory back, once it is sent: whatever the body's length, two pieces suffice. */
  reuse({ buffer }: Uint8Array): void {
    if (buffer.byteLength === this.#size) this.#spare.push(buffer);
  }

  discard(): Promise<void> {
    return discard(this.#reader);
  }
}

/**
 * Moves a body as fast as it is taken, and rejects when it breaks off. That it is not taken any more is for the taker to
 * tell; its rest is thrown away then.
 *
 * @param onStall called when a piece is not taken in time; how slow the client is does not matter
 * @param signal ends it
 */
async function pump(
  from: ReadableStream<Uint8Array>,
  to: WritableStream<Uint8Array>,
  { onStall, signal }: { onStall: () => void; signal: AbortSignal },
): Promise<void> {
  const reader = from.getReader({ mode: "byob" });
  const writer = to.getWriter();
  let buffer: ArrayBufferLike = new ArrayBuffer(PIECE);
  // It may have ended by itself.
  signal.addEventListener("abort", () => void writer.abort().catch(() => {}));
  let writingSince: number | undefined;
  const watch = setInterval(() => {
    if (writingSince !== undefined && Date.now() - writingSince > STALL_LIMIT) onStall();
  }, 1000);
  const isTaken = (taking: Promise<void>) =>
    taking.then(
      () => true,
      () => false,
    );
  try {
    for (;;) {
      const { isOver, bytes } = await readInto(buffer, reader);
      writingSince = Date.now();
      const wasTaken = await isTaken(isOver ? writer.close() : writer.write(bytes));
      writingSince = undefined;
      if (isOver) return;
      if (!wasTaken) return await discard(reader);
      // It has been taken, so that the next piece may go where it was: no garbage, however long the body.
      buffer = bytes.buffer;
    }
  } finally {
    clearInterval(watch);
  }
}

/**
 * Takes the rest of a body, for a while: many senders read no answer before they have sent everything, and learn nothing
 * from a connection that is closed under them.
 */
async function discard(reader: ReadableStreamBYOBReader): Promise<void> {
  const timer = setTimeout(() => reader.cancel().catch(() => {}), LINGER);
  let buffer: ArrayBufferLike = new ArrayBuffer(PIECE);
  try {
    for (;;) {
      const { isOver, bytes } = await readInto(buffer, reader);
      if (isOver) return;
      buffer = bytes.buffer;
    }
  } catch {
    // The sender has gone away: nobody is left to hear.
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads into a buffer, which is taken away meanwhile and comes back below the bytes.
 *
 * @param min waits for so many bytes, or the end: one long read leaves less garbage than many short ones
 */
async function readInto(
  buffer: ArrayBufferLike,
  reader: ReadableStreamBYOBReader,
  { offset = 0, min = 1 }: { offset?: number; min?: number } = {},
): Promise<{ isOver: boolean; bytes: Uint8Array }> {
  const { done, value = new Uint8Array() } = await reader.read(new Uint8Array(buffer, offset), { min });
  return { isOver: done, bytes: value as Uint8Array };
}
