/** Stores that break a promise of SSE-C: what they should have refused, or encrypted, goes on signed anew and changed. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { parseDate, verify } from "../../src/dev-store/sigv4.ts";
import { targetOf } from "../../src/dev-store/target.ts";
import { type CustomerKey, customerKey } from "../../src/keys/customer-key.ts";
import { customerKeyHeaders } from "../../src/keys/headers.ts";
import { presign } from "../../src/s3/sign/presign.ts";
import type { Fault, Forwarded } from "./fault-proxy.ts";

const SSE = "x-amz-server-side-encryption-customer-";
const REGION = "us-east-1";

interface Behind {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

type Headers = Readonly<Record<string, string>>;

export const hasKey = ({ headers }: IncomingMessage) => `${SSE}key` in headers;
export const hasKeyInQuery = ({ url = "" }: IncomingMessage) => url.includes(`${SSE}key=`);
export const isGet = ({ method }: IncomingMessage) => method === "GET";

/** Stores in the clear. */
export function droppingSse(behind: Behind, on = hasKey): Fault {
  return { on, forward: (request) => signedAnew(request, behind, {}) };
}

/** The same, and says that it encrypted. */
export function lyingAboutSse(behind: Behind, on = hasKey): Fault {
  return {
    ...droppingSse(behind, on),
    headers: (answer, { headers, url = "" }) => {
      const query = new URLSearchParams(url.split("?", 2)[1]);
      for (const name of ["algorithm", "key-MD5"]) {
        const said = headers[(SSE + name).toLowerCase()] ?? query.get(SSE + name);
        if (said) answer[(SSE + name).toLowerCase()] = said;
      }
    },
  };
}

/** Takes any key for that of the object. */
export function openingToAnyKey(behind: Behind, key: CustomerKey): Fault {
  const isKeyOfItsMd5 = ({ headers }: IncomingMessage) => {
    const given = customerKey("", Buffer.from(String(headers[`${SSE}key`]), "base64"));
    return headers[`${SSE}algorithm`] === "AES256" && headers[`${SSE}key-md5`] === given.md5;
  };
  return {
    on: (request) => isGet(request) && hasKey(request) && isKeyOfItsMd5(request),
    forward: (request) => signedAnew(request, behind, customerKeyHeaders(key)),
  };
}

/** Takes URLs beyond their time. */
export function forgettingTime(behind: Behind): Fault {
  const now = ({ url = "" }: IncomingMessage) =>
    parseDate(new URLSearchParams(url.split("?", 2)[1]).get("X-Amz-Date") ?? "").getTime();
  return {
    on: isGet,
    forward: (request) => signedAnew(request, behind, sseOf(request.headers), () => now(request)),
  };
}

/** Does not look at signatures, and gives the object to whoever asks. */
export function trustingEverybody(behind: Behind, key: CustomerKey): Fault {
  return {
    on: (request) => isGet(request) && request.url?.includes("/object?") === true,
    forward: (request) => resign(request, behind, customerKeyHeaders(key)),
  };
}

/** Takes x-amz-* headers that nobody signed, as if they were. */
export function takingAdded(behind: Behind): Fault {
  const isAdded = ({ headers, url = "" }: IncomingMessage) => {
    const signed = new URLSearchParams(url.split("?", 2)[1]).get("X-Amz-SignedHeaders")?.split(";") ?? [];
    return Object.keys(headers).some((name) => name.startsWith("x-amz-") && !signed.includes(name));
  };
  return {
    on: (request) => request.method === "PUT" && isAdded(request),
    forward: (request) => resign(request, behind, sseOf(request.headers)),
  };
}

/** Does not look at some headers or parameters: they go no further. */
export function overlooking(
  behind: Behind,
  names: RegExp,
  on: (request: IncomingMessage) => boolean = () => true,
): Fault {
  const isNamed = ({ headers, url = "" }: IncomingMessage) =>
    [...Object.keys(headers), ...new URLSearchParams(url.split("?", 2)[1]).keys()].some((name) =>
      names.test(name),
    );
  return {
    on: (request) => isNamed(request) && on(request),
    forward: (request) => resign(request, behind, sseOf(request.headers), names),
  };
}

/** What is signed right goes on with other SSE-C headers; what is not, as it came. */
async function signedAnew(
  request: IncomingMessage,
  behind: Behind,
  sse: Headers,
  now = Date.now,
): Promise<Forwarded> {
  try {
    await verify(targetOf(request, []), request.headers, { credentials: behind, region: REGION, now });
  } catch {
    return request;
  }
  return resign(request, behind, sse);
}

/** @param overlooked headers and parameters that are left out */
async function resign(
  request: IncomingMessage,
  behind: Behind,
  sse: Headers,
  overlooked = /^\b$/,
): Promise<Forwarded> {
  const { url: endpoint, ...credentials } = behind;
  const target = targetOf(request, []);
  const { method, bucket, key } = target;
  const headers = without(request.headers, overlooked);
  const query = without(target.query, overlooked);
  const store = { endpoint, region: REGION, addressing: "path" } as const;
  const signed = await presign(
    {
      method,
      bucket: { storeBucket: bucket, store },
      key,
      headers: { ...chosen(headers, /^x-amz-(?!server-side)|^content-(type|md5)$|^(if-|range$)/), ...sse },
      query: chosen(query, /^(?!X-Amz-|x-amz-server-side)/),
    },
    { credentials, signingDate: new Date(), expiresIn: 60 },
  );
  const { origin, host } = new URL(endpoint);
  return {
    url: signed.url.slice(origin.length),
    headers: { ...signed.headers, ...chosen(headers, /^(content-length|origin)$/), host },
  };
}

const sseOf = (headers: IncomingHttpHeaders) => chosen(headers, /^x-amz-server-side/);

function without<T extends object>(named: T, names: RegExp): T {
  return Object.fromEntries(Object.entries(named).filter(([name]) => !names.test(name))) as T;
}

function chosen(named: IncomingHttpHeaders | Headers, pattern: RegExp): Headers {
  const entries = Object.entries(named).filter(([name]) => pattern.test(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
