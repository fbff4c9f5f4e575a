/** Where a bucket is reached: by a host name of its own, or by a path below the store's. */
import type { Bucket } from "../../config/load.ts";

export interface Address {
  /** `https://media.example.com:9000` */
  readonly origin: string;
  /** `media.example.com:9000`; without a port where it is the protocol's own. */
  readonly host: string;
  /** `""`, or `/bucket` under path addressing. */
  readonly path: string;
}

const known = new WeakMap<Bucket, Address>();

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html */
export function addressOf(bucket: Bucket): Address {
  return known.get(bucket) ?? findAddress(bucket);
}

function findAddress(bucket: Bucket): Address {
  const { store, storeBucket } = bucket;
  const { protocol, host } = new URL(store.endpoint);
  const address =
    store.addressing === "virtual"
      ? { origin: `${protocol}//${storeBucket}.${host}`, host: `${storeBucket}.${host}`, path: "" }
      : { origin: `${protocol}//${host}`, host, path: `/${storeBucket}` };
  known.set(bucket, address);
  return address;
}
