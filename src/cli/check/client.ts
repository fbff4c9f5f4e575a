/** A bucket of a store, as it is reached: presigned requests, sent by the plain client. */
import type { Bucket } from "../../config/load.ts";
import { type Presigned, presign, type SigningOptions, type Unsigned } from "../../s3/sign/presign.ts";
import type { Credentials } from "../../s3/store/credentials.ts";
import { type Answer, isRedirect, send } from "./http.ts";

/** Seconds that a URL lives. */
const EXPIRES_IN = 900;

/** How the bucket is reached: as configured, or, where that is wrong, as the store has told. */
export interface Reach {
  readonly bucket: Bucket;
  readonly credentials: Credentials;
  /** What to add to this machine's clock to have the store's, milliseconds. */
  readonly clockOffset: number;
}

export interface Limits {
  /** What one request may take, milliseconds. */
  readonly timeLimit: number;
  /** Once it is aborted nothing new is begun, and what is under way is cut. */
  readonly interrupted: AbortSignal;
}

export interface Redirect {
  readonly method: string;
  readonly answer: Answer;
}

export interface Wanted {
  readonly method: string;
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

export class StoreClient {
  readonly reach: Reach;
  readonly #limits: Limits;
  readonly #isWriting: boolean;
  readonly #redirects: Redirect[];

  constructor(reach: Reach, limits: Limits, isWriting = false, redirects: Redirect[] = []) {
    this.reach = reach;
    this.#limits = limits;
    this.#isWriting = isWriting;
    this.#redirects = redirects;
  }

  /** The redirects that were answered, none of which is followed: keys would go wherever one points. */
  get redirects(): readonly Redirect[] {
    return this.#redirects;
  }

  /** The same bucket, reached otherwise. */
  by(change: Partial<Reach>): StoreClient {
    return new StoreClient({ ...this.reach, ...change }, this.#limits, false, this.#redirects);
  }

  /** The same, for what must be done even when everything else has been interrupted. */
  uninterrupted(): StoreClient {
    const limits = { ...this.#limits, interrupted: new AbortController().signal };
    return new StoreClient(this.reach, limits, false, this.#redirects);
  }

  /** The same, whose requests are not cut: an object might appear after its removal. */
  writing(): StoreClient {
    return new StoreClient(this.reach, this.#limits, true, this.#redirects);
  }

  /** @param age how long ago it is signed, seconds */
  presign({ method, key, headers = {}, query = {} }: Wanted, age = 0): Presigned {
    const request: Unsigned = {
      method,
      bucket: this.reach.bucket,
      key,
      headers: { ...headers },
      query: { ...query },
    };
    return presign(request, this.signing(age));
  }

  signing(age = 0): SigningOptions {
    const { credentials, clockOffset } = this.reach;
    return {
      credentials,
      signingDate: new Date(Date.now() + clockOffset - age * 1000),
      expiresIn: EXPIRES_IN,
    };
  }

  /** @throws {NoAnswer} */
  async send(request: Presigned, body?: Uint8Array): Promise<Answer> {
    const { timeLimit, interrupted } = this.#limits;
    interrupted.throwIfAborted();
    const answer = await send(request, body, timeLimit, this.#isWriting ? undefined : interrupted);
    if (isRedirect(answer)) this.#redirects.push({ method: request.method, answer });
    return answer;
  }

  /** @throws {NoAnswer} */
  async ask(wanted: Wanted, body?: Uint8Array): Promise<Answer> {
    return this.send(this.presign(wanted), body);
  }
}
