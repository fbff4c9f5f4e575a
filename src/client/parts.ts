/** An upload in parts, side by side, which may go on where one before it has ended. */
import type { Api, CallOptions } from "./api.ts";
import { SsecError } from "./error.ts";
import { inParallel } from "./parallel.ts";
import { storageFor } from "./resume.ts";
import { persist } from "./retry.ts";
import { type Body, sizeOf } from "./send.ts";
import { type Readable, slice } from "./source.ts";
import { type Presigned, putInStore } from "./store.ts";
import type { About, Begun, Remembered, Storage, Target, Uploaded, UploadOptions } from "./upload-types.ts";

/** Bytes. */
export const PART_SIZE = 8 * 2 ** 20;
const MAX_PARTS = 10_000;
/** Milliseconds that a URL must still live for a request to begin. */
const MARGIN = 30_000;

/** Ends what was to go on later. */
export async function discard(
  api: Api,
  { bucket, key, resume, signal }: Target & CallOptions & { readonly resume: Storage },
): Promise<void> {
  const remembered = await storageFor(resume, api.url, { bucket, key });
  const begun = await remembered.find();
  if (begun)
    await api.json(
      "/v1/multipart/abort",
      { bucket, key, keyId: begun.keyId, uploadId: begun.uploadId },
      { signal },
    );
  await remembered.forget();
}

type Request = Pick<Presigned, "method" | "url" | "headers">;

interface Part {
  readonly partNumber: number;
  readonly body: Body;
}

/** @param remembered where it is noted, so that it may go on later; without it an upload that fails is ended at the store */
export async function inParts(
  api: Api,
  from: Readable,
  target: Target,
  about: About,
  { onProgress, signal, concurrency = 4, partSize: wanted = PART_SIZE }: UploadOptions,
  remembered: Remembered | undefined,
): Promise<Uploaded> {
  const { size } = from;
  const total = size === undefined ? {} : { size };
  const step = <T>(name: string, body: object, ending = signal) =>
    api.json<T>(`/v1/multipart${name}`, { ...target, ...body }, { signal: ending });

  const etags = new Map<number, string>();
  /** Bytes of each part that have gone out. */
  const sent = new Map<number, number>();
  /** By the part's number. */
  const requests = new Map<number, { readonly request: Request; readonly until: number }>();

  const report = (partNumber: number, bytes: number) => {
    sent.set(partNumber, bytes);
    let loaded = 0;
    for (const each of sent.values()) loaded += each;
    onProgress?.({ loaded, ...(size !== undefined && { total: size }) });
  };

  const { partSize, ...upload } = (await resumed()) ?? (await begin());
  try {
    await inParallel(cutting(), send, concurrency, signal);
    const parts = [...etags].sort(([a], [b]) => a - b).map(([partNumber, etag]) => ({ partNumber, etag }));
    const { ifNoneMatch } = about;
    const done = await step<Uploaded>("/complete", {
      ...upload,
      ...total,
      ...(ifNoneMatch && { ifNoneMatch }),
      parts,
    });
    await remembered?.forget();
    return { ...target, keyId: done.keyId, size: done.size, etag: done.etag };
  } catch (error) {
    // What nobody goes on with costs, and no list shows it. That it cannot be ended must not hide why.
    if (!remembered) await step("/abort", upload, undefined).catch(() => {});
    throw error;
  }

  async function begin(): Promise<Begun> {
    const least = size === undefined ? 0 : 2 ** 20 * Math.ceil(size / MAX_PARTS / 2 ** 20);
    const plan = { ...total, partSize: Math.max(wanted, least) };
    const { keyId, uploadId, partSize } = await step<Begun>("", { ...about, ...plan });
    const begun = { keyId, uploadId, partSize };
    await remembered?.keep(begun);
    return begun;
  }

  /** The upload that was begun before, where it is still there. */
  async function resumed(): Promise<Begun | undefined> {
    const begun = await remembered?.find();
    if (begun === undefined || size === undefined) return undefined;
    const { partSize, ...upload } = begun;
    try {
      const { parts } = await step<{ parts: { partNumber: number; size: number; etag: string }[] }>(
        "/parts",
        upload,
      );
      for (const part of parts) {
        if (part.size !== Math.min(partSize, size - (part.partNumber - 1) * partSize)) continue;
        etags.set(part.partNumber, part.etag);
        report(part.partNumber, part.size);
      }
      return begun;
    } catch (error) {
      // It was completed or aborted since, or is none of this service's.
      const isGone =
        error instanceof SsecError && ["not-found", "conflict", "invalid-request"].includes(error.code);
      if (isGone) return undefined;
      throw error;
    }
  }

  /** The parts that are not in the store yet, in order. */
  function cutting(): () => Promise<Part | undefined> {
    let partNumber = 0;
    return async () => {
      do partNumber++;
      while (etags.has(partNumber));
      const at = (partNumber - 1) * partSize;
      const body =
        from.size === undefined ? await from.cutter.next(partSize) : slice(from.body, at, at + partSize);
      return sizeOf(body) > 0 ? { partNumber, body } : undefined;
    };
  }

  async function send({ partNumber, body }: Part, slow: () => void, ending: AbortSignal): Promise<void> {
    const etag = await persist(
      async () => {
        report(partNumber, 0);
        const onSent = (bytes: number) => report(partNumber, bytes);
        const request = await requestOf(partNumber, ending);
        return putInStore(target.bucket, request, body, { fetch: api.fetch, signal: ending, onSent });
      },
      ending,
      (error) => {
        requests.delete(partNumber);
        if (!error.isStale) slow();
      },
    );
    etags.set(partNumber, etag);
    report(partNumber, sizeOf(body));
  }

  /** One that still lives for a while; those of the parts behind it are asked for by the same call. */
  async function requestOf(partNumber: number, ending: AbortSignal): Promise<Request> {
    const known = requests.get(partNumber);
    if (known && known.until > Date.now()) return known.request;
    const ahead =
      size === undefined ? 1 : Math.min(2 * concurrency, Math.ceil(size / partSize) - partNumber + 1);
    const partNumbers = Array.from({ length: ahead }, (_, i) => partNumber + i).filter(
      (each) => !etags.has(each),
    );
    const { parts, headers, expiresAt } = await step<{
      parts: (Omit<Request, "headers"> & { partNumber: number })[];
      headers: Request["headers"];
      expiresAt: string;
    }>("/sign", { ...upload, partNumbers, ...(size !== undefined && { size, partSize }) }, ending);
    const until = Date.parse(expiresAt) - MARGIN;
    for (const { partNumber, method, url } of parts)
      requests.set(partNumber, { request: { method, url, headers }, until });
    const asked = requests.get(partNumber);
    if (!asked) throw new SsecError("internal", `the service does not sign part ${partNumber}`);
    return asked.request;
  }
}
