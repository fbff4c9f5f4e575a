/** Which buckets there are for a caller: those that a grant opens, by the names that callers use. */
import type { Grant } from "../config/load.ts";
import type { Call } from "./call.ts";
import { S3Fault } from "./faults.ts";
import { single } from "./fields.ts";
import { pageSize } from "./paging.ts";
import { DEFAULT_REGION } from "./region.ts";

/** As many as S3 gives at most. */
const MAX_BUCKETS = 10_000;
/** Nobody knows when a bucket was made; clients do not do without a date. */
const CREATED = "1970-01-01T00:00:00.000Z";

export function listBuckets(call: Call): Promise<Response> {
  const { c, caller, service, query } = call;
  return c.get("trail").record(async (draft) => {
    draft.operation = "ListBuckets";
    const [prefix = "", region = DEFAULT_REGION, token] = [
      "prefix",
      "bucket-region",
      "continuation-token",
    ].map((name) => single(query, name));
    const limit = pageSize(query, "max-buckets", MAX_BUCKETS);
    const after = token === undefined ? "" : Buffer.from(token, "base64url").toString("utf8");
    const names = [...new Set(caller.grants.filter(isOfObjects).map(({ bucket }) => bucket))]
      .filter((name) => service.config.buckets.has(name) && name.startsWith(prefix) && name > after)
      .sort();
    const page = region === DEFAULT_REGION ? names.slice(0, limit) : [];
    const last = page.length < names.length ? page.at(-1) : undefined;
    return call.xml("ListAllMyBucketsResult", {
      Owner: ownerOf(call),
      Buckets: { Bucket: page.map((Name) => ({ Name, CreationDate: CREATED })) },
      ...(last !== undefined && { ContinuationToken: Buffer.from(last).toString("base64url") }),
      ...(prefix !== "" && { Prefix: prefix }),
    });
  });
}

/** Whether there is something in a bucket that the caller may do. */
function isOfObjects({ allow }: Grant): boolean {
  return allow.some((permission) => permission !== "admin");
}

export function headBucket(call: Call): Promise<Response> {
  return onBucket(call, async () => call.empty(200, { "x-amz-bucket-region": DEFAULT_REGION }));
}

export function bucketLocation(call: Call): Promise<Response> {
  // S3 says nothing of a bucket in us-east-1.
  return onBucket(call, async () => call.xml("LocationConstraint", {}));
}

/** Clients that make sure of a bucket before they write are told that it is there; others are made by nobody. */
export function createBucket(call: Call): Promise<Response> {
  return onBucket(call, async () => {
    throw new S3Fault(
      "BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded and you already own it.",
    );
  });
}

function onBucket(call: Call, work: () => Promise<Response>): Promise<Response> {
  const { bucket, operation, caller } = call;
  const grant = caller.grants.find((one) => one.bucket === bucket && isOfObjects(one));
  const permission = grant?.allow.find((one) => one !== "admin") ?? "read";
  const read = () => ({ bucket, key: grant?.prefix ?? "" });
  return call.operate({ operation, permission, read }, ({ draft }) => {
    draft.key = undefined;
    return work();
  });
}

/** Whoever asks owns what they see. */
export function ownerOf({ caller: { name } }: Call): { ID: string; DisplayName: string } {
  return { ID: name, DisplayName: name };
}
