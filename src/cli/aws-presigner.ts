/**
 * AWS's own presigner, told to sign every header as a header: what ours is held against, in tests, in the benchmark
 * and by `ssec check`. Nothing of ours is used here but the shape of a request.
 */
import { createHash, createHmac } from "node:crypto";
import { S3RequestPresigner } from "@aws-sdk/s3-request-presigner";
import type { Credentials } from "../s3/store/credentials.ts";

export interface ReferenceRequest {
  readonly method: string;
  readonly endpoint: string;
  readonly region: string;
  /** The bucket's name in the store, and how it is addressed. */
  readonly bucket: string;
  readonly addressing: "virtual" | "path";
  readonly key: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ReferenceSigning {
  readonly credentials: Credentials;
  readonly signingDate: Date;
  /** Seconds. */
  readonly expiresIn: number;
}

/** The query of the URL that AWS's presigner makes, its signature included. */
export async function awsPresignedQuery(
  request: ReferenceRequest,
  { credentials, signingDate, expiresIn }: ReferenceSigning,
): Promise<Record<string, string>> {
  const presigner = new S3RequestPresigner({ credentials, region: request.region, sha256: Sha256 });
  const names = Object.keys(request.headers).map((name) => name.toLowerCase());
  const { query } = await presigner.presign(httpRequest(request), {
    signingDate,
    expiresIn,
    // Otherwise it leaves some headers unsigned, and moves x-amz-* ones, a copy's source key among them, into the URL.
    signableHeaders: new Set(names),
    unhoistableHeaders: new Set(names),
  });
  return query as Record<string, string>;
}

/** The request as the SDK writes it. Its signers write into what they are given, so that it is made for each. */
export function httpRequest({ method, endpoint, bucket, addressing, key, query, headers }: ReferenceRequest) {
  const { protocol, hostname, port } = new URL(endpoint);
  return {
    method,
    protocol,
    hostname: addressing === "virtual" ? `${bucket}.${hostname}` : hostname,
    ...(port !== "" && { port: Number(port) }),
    path: `${addressing === "virtual" ? "" : `/${bucket}`}/${escapePath(key)}`,
    query: { ...query },
    headers: { ...headers },
  };
}

function escapePath(key: string): string {
  return Array.from(new TextEncoder().encode(key), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._~/-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** SHA-256 and HMAC-SHA256 for the SDK's signers, by the runtime's own implementation. */
export class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("a digest is made once");
  }
}

function bytesOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === "string") return secret;
  return ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret);
}
