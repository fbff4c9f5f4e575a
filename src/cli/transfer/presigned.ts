/** What the API presigns for a transfer, asked for again before it ends. */
import { type Api, ApiError } from "../api.ts";
import { Batches } from "./batches.ts";
import type { PresignedRequest } from "./store.ts";

/** What is left of a URL's life when it is replaced, milliseconds. */
const MARGIN = 60_000;
/** Parts signed by one call. */
const WINDOW = 100;

interface Expiring {
  readonly expiresAt: string;
}

export interface Presigned extends PresignedRequest, Expiring {
  readonly keyId: string;
  /** To be sent as it stands, where the request says what it holds. */
  readonly body?: string;
}

export interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly keyId: string;
  readonly uploadId: string;
  /** Bytes of every part but the last. */
  readonly partSize: number;
}

/** Something that ends, made anew when it is about to. */
export class Renewed<T extends Expiring> {
  readonly #make: () => Promise<T>;
  #current: Promise<T> | undefined;

  /** @param current where it has been made once already */
  constructor(make: () => Promise<T>, current?: T) {
    this.#make = make;
    this.#current = current && Promise.resolve(current);
  }

  async get(): Promise<T> {
    const current = await this.#current;
    if (current !== undefined && Date.parse(current.expiresAt) - Date.now() > MARGIN) return current;
    const made = this.#make();
    this.#current = made;
    made.catch(() => {
      this.#current = undefined;
    });
    return made;
  }
}

/** Whether nobody is handed such a request in that store (`presignedUploads = false`), so that the edge has to send it. */
export function isNotPresigned(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403 && error.message.includes("is not presigned");
}

const batches = new Batches<Presigned>();

/** A presigned request. What is asked for side by side goes to the API together. @throws {ApiError} */
export function presign(api: Api, request: object): Promise<Presigned> {
  return batches.ask(api, request);
}

interface SignedParts extends Expiring {
  readonly parts: readonly {
    readonly partNumber: number;
    readonly method: string;
    readonly url: string;
    readonly contentLength: number;
  }[];
  readonly headers: Readonly<Record<string, string>>;
}

/** The presigned UploadPart of each part, asked for in windows. */
export class PartRequests {
  readonly #windows: ReadonlyMap<number, Renewed<SignedParts>>;

  /** @param size of the whole, bytes */
  constructor(api: Api, { partSize, ...upload }: Upload, size: number, partNumbers: readonly number[]) {
    const windows = new Map<number, Renewed<SignedParts>>();
    for (let at = 0; at < partNumbers.length; at += WINDOW) {
      const window = partNumbers.slice(at, at + WINDOW);
      const request = { ...upload, partNumbers: window, size, partSize };
      const signed = new Renewed<SignedParts>(() => api.post("/v1/multipart/sign", request));
      for (const partNumber of window) windows.set(partNumber, signed);
    }
    this.#windows = windows;
  }

  async get(partNumber: number): Promise<PresignedRequest> {
    const signed = await this.#windows.get(partNumber)?.get();
    const part = signed?.parts.find((each) => each.partNumber === partNumber);
    if (signed === undefined || part === undefined) throw new Error(`part ${partNumber} was not signed`);
    const { method, url, contentLength } = part;
    return { method, url, headers: { ...signed.headers, "content-length": String(contentLength) } };
  }
}
