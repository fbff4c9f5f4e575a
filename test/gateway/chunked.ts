/** Bodies in aws-chunked, as clients write them: by the specification, with nothing of ours. */
import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { crc32 } from "node:zlib";
import { requestOf, type Signing, signing, smithy } from "./signers.ts";

export const KiB = 1024;
export const UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
export const SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
export const SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const EMPTY = createHash("sha256").digest("hex");

export const hex = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export const crc32Of = (bytes: Uint8Array) => {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return digest.toString("base64");
};

/** A body before it is written: what an attacker may change. */
export interface Frames {
  /** Each with its signature, where chunks are signed; the last holds nothing. */
  chunks: { bytes: Uint8Array; signature?: string }[];
  trailers: [name: string, value: string][];
  trailerSignature?: string;
  /** Behind the last line. */
  after: string;
}

export interface Upload {
  payload: string;
  pieces: readonly Uint8Array[];
  trailers?: [name: string, value: string][];
  headers?: Record<string, string>;
  length?: string | undefined;
  with?: Partial<Signing>;
  method?: string;
  path?: string;
}

/** The request, signed, with its body; the frames may be changed before they are written. */
export async function upload(
  { payload, pieces, trailers = [], headers = {}, method = "PUT", path = "/s3/media/a", ...rest }: Upload,
  change: (frames: Frames) => void = () => {},
): Promise<Request> {
  const whole = Buffer.concat(pieces);
  const length = "length" in rest ? rest.length : String(whole.length);
  const options = { ...signing, ...rest.with, payload };
  const signed = await smithy(
    {
      method,
      path,
      query: {},
      headers: {
        "content-encoding": "aws-chunked",
        ...(length !== undefined && { "x-amz-decoded-content-length": length }),
        ...(trailers.length > 0 && { "x-amz-trailer": trailers.map(([name]) => name).join(",") }),
        ...headers,
      },
    },
    options,
  );
  const frames = frame(payload, pieces, trailers, options, signatureIn(signed.headers));
  change(frames);
  return requestOf(signed, write(frames));
}

function signatureIn({ authorization = "" }: Record<string, string>): string {
  return authorization.slice(-64);
}

function frame(
  payload: string,
  pieces: readonly Uint8Array[],
  trailers: [string, string][],
  { secretAccessKey, date, region }: Signing,
  seed: string,
): Frames {
  const stamp = date.toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const key = scope
    .split("/")
    .reduce<Buffer>(
      (folded, part) => createHmac("sha256", folded).update(part).digest(),
      Buffer.from(`AWS4${secretAccessKey}`),
    );
  let previous = seed;
  const sign = (kind: string, ...hashes: string[]) => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, stamp, scope, previous, ...hashes].join("\n");
    previous = createHmac("sha256", key).update(text).digest("hex");
    return previous;
  };
  const isSigned = payload !== UNSIGNED;
  const chunks = [...pieces, Buffer.alloc(0)].map((bytes) => ({
    bytes,
    ...(isSigned && { signature: sign("PAYLOAD", EMPTY, hex(bytes)) }),
  }));
  const lines = trailers.map(([name, value]) => `${name}:${value}\n`).join("");
  return {
    chunks,
    trailers: [...trailers],
    ...(payload === SIGNED_TRAILER && { trailerSignature: sign("TRAILER", hex(lines)) }),
    after: "\r\n",
  };
}

export function write({ chunks, trailers, trailerSignature, after }: Frames): Uint8Array<ArrayBuffer> {
  const written = chunks.flatMap(({ bytes, signature }) => [
    Buffer.from(
      `${bytes.length.toString(16)}${signature === undefined ? "" : `;chunk-signature=${signature}`}\r\n`,
    ),
    bytes,
    ...(bytes.length > 0 ? [Buffer.from("\r\n")] : []),
  ]);
  const lines = trailers.map(([name, value]) => `${name}:${value}\r\n`).join("");
  const last = trailerSignature === undefined ? "" : `x-amz-trailer-signature:${trailerSignature}\r\n`;
  return Uint8Array.from(Buffer.concat([...written, Buffer.from(`${lines}${last}${after}`)]));
}
