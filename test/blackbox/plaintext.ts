/** A store that takes SSE-C headers, holds requests to their signatures, and stores in the clear. */
import type { IncomingMessage } from "node:http";
import { verify } from "../../scripts/store/sigv4.ts";
import { targetOf } from "../../scripts/store/target.ts";
import { presign } from "../../src/s3/presign.ts";
import type { Fault, Forwarded } from "./fault-proxy.ts";

const SSE = "x-amz-server-side-encryption-customer-";

interface Behind {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const hasKey = ({ headers }: IncomingMessage) => `${SSE}key` in headers;

/** What is signed right goes on without its SSE-C headers; what is not, as it came. */
export function droppingSse({ url, ...credentials }: Behind, on = hasKey): Fault {
  return { on, forward: (request) => withoutSse(request, url, credentials) };
}

/** The same, and says that it encrypted. */
export function lyingAboutSse(behind: Behind, on = hasKey): Fault {
  return {
    ...droppingSse(behind, on),
    headers: (answer, { headers }) => {
      for (const name of [`${SSE}algorithm`, `${SSE}key-md5`])
        if (name in headers) answer[name] = headers[name];
    },
  };
}

async function withoutSse(
  request: IncomingMessage,
  endpoint: string,
  credentials: Omit<Behind, "url">,
): Promise<Forwarded> {
  const { headers } = request;
  const region = "us-east-1";
  const target = targetOf(request, []);
  try {
    await verify(target, headers, { credentials, region, now: Date.now });
  } catch {
    return request;
  }
  const store = {
    name: "",
    endpoint,
    region,
    addressing: "path",
    accessKeyId: "",
    secretAccessKey: "",
  } as const;
  const kept = Object.entries(headers).filter(([name]) => /^x-amz-(?!server-side)|^content-type$/.test(name));
  const query = Object.entries(target.query).filter(([name]) => !name.startsWith("X-Amz-"));
  const signed = await presign(
    {
      method: target.method,
      bucket: { name: "", storeBucket: target.bucket, store, keys: [] },
      key: target.key,
      headers: Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
      query: Object.fromEntries(query),
    },
    { credentials, signingDate: new Date(), expiresIn: 60 },
  );
  const { origin } = new URL(endpoint);
  const length = headers["content-length"];
  return {
    url: signed.url.slice(origin.length),
    headers: { ...signed.headers, host: new URL(endpoint).host, ...(length && { "content-length": length }) },
  };
}
