/** What the API presigns for a transfer, asked for again before it ends. */
import { isFresh } from "../../client/part.ts";
import type { PresignedRequest } from "../../client/send.ts";
import { type Api, ApiError } from "../api.ts";
import { Batches } from "./batches.ts";

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
    if (current !== undefined && isFresh(current)) return current;
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
