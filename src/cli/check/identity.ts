/**
 * Whether the Worker that answers is the one of this configuration. /healthz names nothing, so that any Worker's would do;
 * what callers, keys and presigned URLs tell goes by the configuration, and must be what stands in it.
 */
import { isDeepStrictEqual } from "node:util";
import type { Bucket, Config, Grant } from "../../config/load.ts";
import type { KeyReport } from "../../keys/report.ts";
import { addressOf } from "../../s3/sign/address.ts";
import type { Presigned } from "../../s3/sign/presign.ts";
import { type Api, ApiError } from "../api.ts";
import type { ConfiguredWorker } from "../worker.ts";

interface Me {
  readonly caller: string;
  readonly grants: readonly Grant[];
}

/** Nothing is sent to the store. */
const KEY = "ssec-check/identity";

/** What the Worker's answers were held against. */
export interface Compared {
  /** What it has otherwise than this configuration; undefined where all that it tells is alike. */
  readonly difference: string | undefined;
  /** Those of BUCKETS of which the token could ask where they lie. */
  readonly buckets: ReadonlySet<string>;
}

/** @throws {ApiError} */
export async function compare(
  api: Api,
  { config }: ConfiguredWorker,
  keys: readonly KeyReport[],
): Promise<Compared> {
  const me = await api.get<Me>("/v1/me");
  const buckets = new Set<string>();
  let difference = callerDifference(me, config) ?? keysDifference(me, keys, config);
  for (const bucket of config.buckets.values()) {
    const found = difference === undefined ? await bucketDifference(api, me, bucket) : "not asked";
    if (found === "not asked") continue;
    buckets.add(bucket.name);
    difference ??= found;
  }
  return { difference, buckets };
}

function callerDifference({ caller, grants }: Me, config: Config): string | undefined {
  const known = [...config.tokenCallers, ...config.jwtCallers].find(({ name }) => name === caller);
  if (known === undefined) return `the token is that of ${caller}, whom CALLERS does not have`;
  // The prefixes of a user are theirs.
  const shape = (all: readonly Grant[]) =>
    all.map((grant) => plain("issuer" in known ? { ...grant, prefix: "" } : grant));
  return isDeepStrictEqual(shape(grants), shape(known.grants))
    ? undefined
    : `CALLERS.${caller} has other grants`;
}

function keysDifference({ grants }: Me, keys: readonly KeyReport[], config: Config): string | undefined {
  const administered = new Set(
    grants.filter(({ allow }) => allow.includes("admin")).map(({ bucket }) => bucket),
  );
  const expected = [...config.keys.values()].flatMap((rule) => {
    const users = [...config.buckets.values()].filter((bucket) => bucket.keys.includes(rule));
    const buckets = users.map(({ name }) => name).filter((name) => administered.has(name));
    if (users.length > 0 && buckets.length === 0) return [];
    const { id, derive, notBefore, writeUntil } = rule;
    const date = (time: number | undefined) => time !== undefined && new Date(time).toISOString();
    return [
      {
        id,
        buckets: buckets.sort(),
        mode: derive ? "derived" : "shared",
        notBefore: date(notBefore),
        writeUntil: date(writeUntil),
      },
    ];
  });
  const told = keys.map(({ id, buckets, mode, notBefore = false, writeUntil = false }) => ({
    id,
    buckets: [...buckets].sort(),
    mode,
    notBefore,
    writeUntil,
  }));
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  return isDeepStrictEqual(told.sort(byId), expected.sort(byId)) ? undefined : "KEYS is another";
}

/** By where a presigned download would go: the store, the bucket there, and the region. */
async function bucketDifference(
  api: Api,
  { grants }: Me,
  bucket: Bucket,
): Promise<string | undefined | "not asked"> {
  const grant = grants.find(({ bucket: name, allow }) => name === bucket.name && allow.includes("read"));
  const [key] = bucket.keys;
  if (grant === undefined || key === undefined) return "not asked";
  const request = { operation: "GetObject", bucket: bucket.name, key: grant.prefix + KEY, keyId: key.id };
  try {
    const { url } = await api.post<Presigned>("/v1/presign", { ...request, expiresIn: 1 });
    const { origin, pathname, searchParams } = new URL(url);
    const address = addressOf(bucket);
    const region = searchParams.get("X-Amz-Credential")?.split("/")[2];
    const isAlike =
      origin === address.origin && pathname.startsWith(`${address.path}/`) && region === bucket.store.region;
    return isAlike ? undefined : `BUCKETS.${bucket.name} lies at ${origin}${pathname.slice(0, -KEY.length)}`;
  } catch (error) {
    // A key or a secret that it cannot use, which its own lines tell.
    if (error instanceof ApiError && error.status >= 500) return "not asked";
    throw error;
  }
}

/** Whether two configurations would answer alike, so that no answer tells them apart. */
export function isTwin(one: Config, other: Config, { buckets }: Compared): boolean {
  return isDeepStrictEqual(printOf(one, buckets), printOf(other, buckets));
}

function printOf(config: Config, compared: ReadonlySet<string>): unknown {
  const buckets = [...config.buckets.values()].map((bucket) => ({
    name: bucket.name,
    keys: bucket.keys.map(({ id }) => id),
    ...(compared.has(bucket.name) && { address: addressOf(bucket), region: bucket.store.region }),
  }));
  const keys = [...config.keys.values()].map(({ secret: _, ...rule }) => rule);
  return plain({ buckets, keys, tokenCallers: config.tokenCallers, jwtCallers: config.jwtCallers });
}

/** Without what is undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
