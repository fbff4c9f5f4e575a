/** Requests as clients of S3 sign them, by signers that are not ours. */
import { SignatureV4 } from "@smithy/signature-v4";
import aws4 from "aws4";
import { Sha256 } from "../../src/cli/aws-presigner.ts";
import { LIMITS } from "../../src/limits.ts";
import { Service } from "../../src/service.ts";
import { oneBucket } from "../support/one-bucket.ts";

export const HOST = "edge.example.com";
/** What a partner's token looks like. */
export const TOKEN = "Zr3uOq8xM0eYw1vJ5tKp7bNc2sHd4fGa6lQi9yXoWuE=";
export const SHORT_TOKEN = "abcdefgh01234567";
export const NOW = Date.parse("2026-11-28T12:00:00Z");

const grants = [{ bucket: "media", prefix: "", allow: ["read", "write", "delete"] }];
const { STORES, ...rest } = oneBucket();
export const env = {
  ...rest,
  STORES: { main: { ...STORES.main, region: "US-EAST-04A" } },
  CALLERS: {
    acme: { token: "ACME_TOKEN", grants },
    "ac/me": { token: "SLASH_TOKEN", grants },
    short: { token: "SHORT_TOKEN", grants },
    lost: { token: "NO_SUCH_SECRET", grants },
  },
  ACME_TOKEN: TOKEN,
  SLASH_TOKEN: `${TOKEN}2`,
  SHORT_TOKEN,
};
export const service = new Service(env, { limits: LIMITS });

export interface Asked {
  readonly method: string;
  /** Percent-encoded as S3's clients do. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Signing {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
  readonly date: Date;
  readonly host: string;
  /** Seconds; a header is signed without it. */
  readonly expiresIn?: number | undefined;
  readonly payload: string;
}

export const signing: Signing = {
  accessKeyId: "acme",
  secretAccessKey: TOKEN,
  region: "us-east-1",
  date: new Date(NOW),
  host: HOST,
  payload: "UNSIGNED-PAYLOAD",
};

export interface Signed {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
}

export type Signer = (asked: Asked, signing: Signing) => Promise<Signed>;

/** AWS's own. */
export const smithy: Signer = async (asked, { region, date, host, expiresIn, payload, ...credentials }) => {
  const signer = new SignatureV4({
    credentials,
    region,
    service: "s3",
    sha256: Sha256,
    uriEscapePath: false,
  });
  const [hostname = "", port] = host.split(":");
  const request = {
    method: asked.method,
    protocol: "https:",
    hostname,
    ...(port !== undefined && { port: Number(port) }),
    path: asked.path,
    query: { ...asked.query },
    headers: { ...asked.headers, host, "x-amz-content-sha256": payload },
  };
  const names = new Set(Object.keys(request.headers).map((name) => name.toLowerCase()));
  const options = { signingDate: date, signableHeaders: names, unhoistableHeaders: names };
  const { query, headers } = await (expiresIn === undefined
    ? signer.sign(request, options)
    : signer.presign(request, { ...options, expiresIn }));
  return { method: asked.method, url: urlOf(host, asked.path, query as Record<string, string>), headers };
};

/** A stranger's. */
export const byAws4: Signer = async (asked, { region, date, host, expiresIn, payload, ...credentials }) => {
  const stamp = date.toISOString().replace(/[-:]|\.\d+/g, "");
  const query = {
    ...asked.query,
    ...(expiresIn !== undefined && { "X-Amz-Expires": String(expiresIn), "X-Amz-Date": stamp }),
  };
  const signed = aws4.sign(
    {
      method: asked.method,
      host,
      path: urlOf("", asked.path, query).slice("https://".length),
      headers: {
        ...asked.headers,
        ...(expiresIn === undefined && { "X-Amz-Date": stamp, "X-Amz-Content-Sha256": payload }),
      },
      region,
      service: "s3",
      ...(expiresIn !== undefined && { signQuery: true }),
      extraHeadersToInclude: { ...asked.headers },
    },
    credentials,
  );
  return { method: asked.method, url: `https://${host}${signed.path}`, headers: signed.headers };
};

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function urlOf(host: string, path: string, query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return `https://${host}${path}${pairs.length > 0 ? `?${pairs.join("&")}` : ""}`;
}

/** As it arrives; the platform keeps what the client said of encodings, and writes its own in its place. */
export function requestOf(
  { method, url, headers }: Signed,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream | null = null,
): Request {
  const { "accept-encoding": acceptEncoding, host: _, Host: __, ...others } = headers;
  const request = new Request(url, {
    method,
    headers: { ...others, ...(acceptEncoding !== undefined && { "accept-encoding": "br, gzip" }) },
    body,
  });
  return Object.defineProperty(request, "cf", { value: { clientAcceptEncoding: acceptEncoding } });
}
