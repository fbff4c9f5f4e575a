/** The ways in which data moves, with bodies that no memory has to hold. */
import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect } from "vitest";
import { store } from "./client.ts";
import { oneBucket } from "./one-bucket.ts";
import { type RunningWorker, startTestWorker } from "./worker.ts";

export const MiB = 2 ** 20;

/** Where something is fetched, and what to send for it. */
export interface Fetched {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Presigned extends Fetched {
  readonly method: string;
}

/** What the caller of such a Worker, who may do everything, is known by. */
export const token = randomBytes(24).toString("base64url");
const authorization = { authorization: `Bearer ${token}` };

/** A Worker of its own: nothing but transfers is in its memory. */
export function startTransferWorker(
  endpoint = store.url,
  onLog?: (line: string) => void,
): Promise<RunningWorker> {
  const { STORES, BUCKETS, ...env } = oneBucket({ ...store, url: endpoint });
  const allow = ["read", "write", "delete"];
  return startTestWorker({
    env: {
      ...env,
      STORES: { ...STORES, hasty: { ...STORES.main, timeLimit: 1 } },
      // The same place, for tests that wait in vain.
      BUCKETS: { ...BUCKETS, hasty: { store: "hasty", name: "media", keys: ["k1"] } },
      CALLERS: {
        me: { token: "TOKEN", grants: ["media", "hasty"].map((bucket) => ({ bucket, prefix: "", allow })) },
      },
      TOKEN: token,
    },
    without: ["DB", "QUEUE", "RATE_LIMIT"],
    inspected: true,
    ...(onLog && { onLog }),
  });
}

/** Bytes that repeat only after a prime number of them, so that a part in the wrong place is noticed. */
const pattern = randomBytes(8 * MiB - 15);

function* slice(from: number, to: number): Generator<Buffer> {
  for (let at = from; at < to; ) {
    const offset = at % pattern.length;
    const piece = pattern.subarray(offset, Math.min(pattern.length, offset + MiB, offset + to - at));
    yield piece;
    at += piece.length;
  }
}

const hashes = new Map<number, string>();

/** SHA-256 of the body of this many bytes. */
export function hashOf(size: number): string {
  const known = hashes.get(size);
  if (known !== undefined) return known;
  const hash = createHash("sha256");
  for (const piece of slice(0, size)) hash.update(piece);
  const digest = hash.digest("hex");
  hashes.set(size, digest);
  return digest;
}

/** Each puts an object of so many bytes, and says how it is fetched. */
export const WAYS: Readonly<Record<string, (url: string, key: string, size: number) => Promise<Fetched>>> = {
  presigned: async (url, key, size) => {
    const request = { operation: "PutObject", bucket: "media", key, contentLength: size };
    await send(await post<Presigned>(`${url}/v1/presign`, request), 0, size);
    return presignGet(url, key);
  },
  multipart: async (url, key, size) => {
    const object = { bucket: "media", key };
    const begun = await post<{ keyId: string; uploadId: string; partSize: number; partCount: number }>(
      `${url}/v1/multipart`,
      { ...object, size },
    );
    const { keyId, uploadId, partSize, partCount } = begun;
    const upload = { ...object, keyId, uploadId };
    const partNumbers = Array.from({ length: partCount }, (_, i) => i + 1);
    const signed = await post<{
      parts: { partNumber: number; method: string; url: string; contentLength: number }[];
      headers: Record<string, string>;
    }>(`${url}/v1/multipart/sign`, { ...upload, partNumbers, size, partSize });
    const parts = [];
    for (const { partNumber, contentLength, ...part } of signed.parts) {
      const from = (partNumber - 1) * partSize;
      const etag = await send({ ...part, headers: signed.headers }, from, from + contentLength);
      parts.push({ partNumber, etag });
    }
    await post(`${url}/v1/multipart/complete`, { ...upload, parts, size });
    return presignGet(url, key);
  },
  edge: async (url, key, size) => {
    const object = objectOf(url, key);
    await send({ method: "PUT", ...object }, 0, size);
    return object;
  },
  "edge, of unknown length": async (url, key, size) => {
    const object = objectOf(url, key);
    await send({ method: "PUT", ...object }, 0, size, "chunked");
    return object;
  },
};

export async function remove(url: string, key: string): Promise<void> {
  const object = objectOf(url, key);
  expect((await fetch(object.url, { method: "DELETE", headers: object.headers })).status).toBe(204);
}

/** Size and SHA-256 of what comes. */
export async function download({ url, headers }: Fetched): Promise<{ size: number; hash: string }> {
  const hash = createHash("sha256");
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    const asked = httpRequest(url, { headers }, (incoming) => {
      incoming.on("data", (chunk: Buffer) => {
        hash.update(chunk);
        size += chunk.length;
      });
      incoming.on("error", reject);
      incoming.on("end", resolve);
    });
    asked.on("error", reject);
    asked.end();
  });
  return { size, hash: hash.digest("hex") };
}

function objectOf(url: string, key: string): Fetched {
  return { url: `${url}/v1/objects/media/${key}`, headers: authorization };
}

function presignGet(url: string, key: string): Promise<Presigned> {
  return post(`${url}/v1/presign`, { operation: "GetObject", bucket: "media", key });
}

/** @returns the ETag */
async function send(
  { method, url, headers }: Presigned,
  from: number,
  to: number,
  framing: "sized" | "chunked" = "sized",
): Promise<string> {
  const length = framing === "sized" ? { "content-length": String(to - from) } : {};
  const outgoing = httpRequest(url, { method, headers: { ...headers, ...length } });
  const answered = new Promise<string>((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("response", async (incoming) => {
      let text = "";
      for await (const chunk of incoming) text += chunk;
      if (incoming.statusCode === 200) resolve(incoming.headers.etag ?? "");
      else reject(new Error(`${incoming.statusCode}: ${text}`));
    });
  });
  await pipeline(Readable.from(slice(from, to), { objectMode: false, highWaterMark: MiB }), outgoing);
  return answered;
}

async function post<T>(url: string, body: object): Promise<T> {
  const response = await fetch(url, { method: "POST", headers: authorization, body: JSON.stringify(body) });
  const answer = (await response.json()) as T;
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer;
}
