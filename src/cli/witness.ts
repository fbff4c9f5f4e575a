/**
 * An independent witness: what the Worker signs, AWS's own presigner signs the same, by the configuration and the
 * credentials on this machine.
 */
import type { Bucket } from "../config/load.ts";
import type { Presigned } from "../s3/sign/presign.ts";
import { type Credentials, credentialsOf } from "../s3/store/credentials.ts";
import { Api, ApiError, type ApiOptions } from "./api.ts";
import type { Line } from "./check/line.ts";
import type { ConfiguredWorker } from "./worker.ts";

/** Odd enough to be encoded in every way that a path can be; nothing is sent to the store. */
const KEY = "ssec-check/witness (ü) +%~'.bin";

/** An upload with headers of every kind, where any is presigned, and a download. */
const requestsOf = ({ name, keys, store }: Bucket) => [
  ...(store.presignedUploads === false
    ? []
    : [
        {
          operation: "PutObject",
          bucket: name,
          key: KEY,
          contentType: "text/plain; charset=utf-8",
          contentLength: 42,
          metadata: { "checked-by": "ssec" },
        },
      ]),
  { operation: "GetObject", bucket: name, key: KEY, keyId: keys[0]?.id },
];

type Request = ReturnType<typeof requestsOf>[number];

/** One line a bucket whose credentials are on this machine; none where there is no SSEC_TOKEN to ask the Worker with. */
export async function witness(options: ApiOptions, worker: ConfiguredWorker): Promise<Line[]> {
  if (!process.env.SSEC_TOKEN) return [];
  const api = new Api(options);
  const lines: Line[] = [];
  for (const bucket of worker.config.buckets.values()) {
    const { accessKeyId, secretAccessKey } = bucket.store;
    if (worker.has(accessKeyId) && worker.has(secretAccessKey)) {
      lines.push(await compare(api, bucket, await credentialsOf(bucket.store, worker.secrets)));
    }
  }
  return lines;
}

async function compare(api: Api, bucket: Bucket, credentials: Credentials): Promise<Line> {
  const what = `BUCKETS.${bucket.name}: what the Worker at ${api.url} signs`;
  try {
    for (const request of requestsOf(bucket)) {
      const answer = await api.post<Presigned>("/v1/presign", request);
      const differing = await differences(answer, request, bucket, credentials);
      if (differing.length > 0) {
        const hint = "has it this configuration, and the credentials that are on this machine?";
        return {
          verdict: "bad",
          what: `${what} is not what AWS's presigner makes of it (${request.operation}: ${differing.join(", ")}): ${hint}`,
        };
      }
    }
    return { verdict: "ok", what: `${what} is what AWS's presigner makes of it` };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isOwn = error instanceof ApiError && error.status < 500;
    return { verdict: isOwn ? "off" : "warn", what: `${what} was not compared: ${error.message}` };
  }
}

/** The names of what is not alike; a signature is not shown. */
async function differences(
  { method, url, headers }: Presigned,
  { contentLength }: Request,
  { store, storeBucket }: Bucket,
  credentials: Credentials,
): Promise<string[]> {
  const { awsPresignedQuery } = await import("./aws-presigner.ts");
  const { searchParams } = new URL(url);
  const signed = Object.fromEntries(searchParams);
  const own = Object.entries(signed).filter(([name]) => !name.startsWith("X-Amz-"));
  const reference = await awsPresignedQuery(
    {
      method,
      endpoint: store.endpoint,
      region: store.region,
      bucket: storeBucket,
      addressing: store.addressing,
      key: KEY,
      query: Object.fromEntries(own),
      headers: {
        ...headers,
        ...(contentLength !== undefined && { "content-length": String(contentLength) }),
      },
    },
    {
      credentials,
      signingDate: dateOf(signed["X-Amz-Date"] ?? ""),
      expiresIn: Number(signed["X-Amz-Expires"]),
    },
  );
  const names = new Set([...Object.keys(signed), ...Object.keys(reference)]);
  return [...names].filter((name) => signed[name] !== reference[name]);
}

/** Of `20130524T000000Z`. */
function dateOf(timestamp: string): Date {
  return new Date(timestamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
