/** An upload in parts, side by side, which may go on where one before it has ended. */
import type { Api, CallOptions } from "./api.ts";
import { SsecError } from "./error.ts";
import { inParallel } from "./parallel.ts";
import { isFresh, type Part, type Service, sendPart } from "./part.ts";
import { storageFor } from "./resume.ts";
import type { PresignedRequest } from "./send.ts";
import type { About, Begun, Remembered, Storage, Target, Uploaded, UploadOptions } from "./upload-types.ts";

/** What is uploaded, to be cut into parts. */
export interface Cut {
  /** Bytes; undefined where its end is not known yet. */
  readonly size: number | undefined;
  /** The bytes from `from` up to `to`, or to the end: none behind it. Asked for in order, each once. */
  part(from: number, to: number): Promise<Part>;
  /** Called when all parts are in the store. @throws where they are not what they were to be */
  confirm?(): Promise<void>;
}

export type PartsOptions = Pick<UploadOptions, "onProgress" | "signal" | "concurrency" | "partSize">;

interface Numbered extends Part {
  readonly partNumber: number;
}

interface Signed {
  readonly parts: readonly (Omit<PresignedRequest, "headers"> & { readonly partNumber: number })[];
  readonly headers: PresignedRequest["headers"];
  readonly expiresAt: string;
}

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

/** @param remembered where it is noted, so that it may go on later; without it an upload that fails is ended at the store */
export async function inParts(
  api: Service,
  { size, part, confirm }: Cut,
  target: Target,
  about: About,
  { onProgress, signal, concurrency = 4, partSize: wanted }: PartsOptions,
  remembered: Remembered | undefined,
): Promise<Uploaded> {
  // JSON leaves out what is undefined.
  const step = <T>(name: string, body: object, ending = signal) =>
    api.json<T>(`/v1/multipart${name}`, { ...target, ...body }, { signal: ending });

  const etags = new Map<number, string>();
  /** Bytes of each part that have gone out. */
  const sent = new Map<number, number>();
  /** By the part's number. */
  const requests = new Map<number, Promise<Signed>>();
  let loaded = 0;

  const report = (partNumber: number, bytes: number) => {
    loaded += bytes - (sent.get(partNumber) ?? 0);
    sent.set(partNumber, bytes);
    onProgress?.({ loaded, total: size });
  };

  const { partSize, ...upload } = (await resumed()) ?? (await begin());
  try {
    await inParallel(cutting(), send, concurrency, signal);
    await confirm?.();
    const parts = [...etags].sort(([a], [b]) => a - b).map(([partNumber, etag]) => ({ partNumber, etag }));
    const { ifNoneMatch } = about;
    const done = await step<Uploaded>("/complete", { ...upload, size, ifNoneMatch, parts });
    await remembered?.forget();
    return { ...target, keyId: done.keyId, size: done.size, etag: done.etag };
  } catch (error) {
    // What nobody goes on with costs, and no list shows it. That it cannot be ended must not hide why.
    if (!remembered) await step("/abort", upload, undefined).catch(() => {});
    throw error;
  }

  async function begin(): Promise<Begun> {
    const { keyId, uploadId, partSize } = await step<Begun>("", { ...about, size, partSize: wanted });
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
      const { code } = (error ?? {}) as Partial<SsecError>;
      if (code === "not-found" || code === "conflict" || code === "invalid-request") return undefined;
      throw error;
    }
  }

  /** The parts that are not in the store yet, in order. */
  function cutting(): () => Promise<Numbered | undefined> {
    let partNumber = 0;
    return async () => {
      do partNumber++;
      while (etags.has(partNumber));
      const at = (partNumber - 1) * partSize;
      const next = await part(at, at + partSize);
      return next.size > 0 ? { partNumber, ...next } : undefined;
    };
  }

  async function send(
    { partNumber, ...part }: Numbered,
    slow: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const etag = await sendPart(
      part,
      (isAnew) => requestOf(partNumber, isAnew, signal),
      (bytes) => report(partNumber, bytes),
      signal,
      {
        onFailure: ({ isStale }) => {
          if (!isStale) slow();
        },
      },
    );
    etags.set(partNumber, etag);
  }

  /** One that still lives for a while; those of the parts behind it are asked for by the same call. */
  async function requestOf(
    partNumber: number,
    isAnew: boolean,
    ending: AbortSignal,
  ): Promise<PresignedRequest> {
    let signed = isAnew ? undefined : await requests.get(partNumber);
    if (!signed || !isFresh(signed)) {
      const last = size === undefined ? partNumber : Math.ceil(size / partSize);
      const partNumbers: number[] = [];
      for (let each = partNumber; each <= last && each < partNumber + 2 * concurrency; each++)
        if (!etags.has(each)) partNumbers.push(each);
      const cut = size && { size, partSize };
      const signing = step<Signed>("/sign", { ...upload, partNumbers, ...cut }, ending);
      for (const each of partNumbers) requests.set(each, signing);
      signed = await signing;
    }
    const asked = signed.parts.find((each) => each.partNumber === partNumber);
    if (!asked) throw new SsecError("internal", `the service does not sign part ${partNumber}`);
    return { ...asked, headers: signed.headers };
  }
}
