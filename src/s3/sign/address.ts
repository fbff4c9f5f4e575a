/** Where a bucket is reached: by a host name of its own, or by a path below the store's. */

/** A bucket, as far as signing knows one: its name in its store, and where that is. */
export interface SignedBucket {
  readonly storeBucket: string;
  readonly store: {
    /** Its origin: `https://s3.example.com`. */
    readonly endpoint: string;
    readonly region: string;
    readonly addressing: "virtual" | "path";
  };
}

export interface Address {
  /** `https://media.example.com:9000` */
  readonly origin: string;
  /** `media.example.com:9000`; without a port where it is the protocol's own. */
  readonly host: string;
  /** `""`, or `/bucket` under path addressing. */
  readonly path: string;
}

const known = new WeakMap<SignedBucket, Address>();

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html */
export function addressOf(bucket: SignedBucket): Address {
  return known.get(bucket) ?? findAddress(bucket);
}

function findAddress(bucket: SignedBucket): Address {
  const { store, storeBucket } = bucket;
  const { protocol, host } = new URL(store.endpoint);
  const address =
    store.addressing === "virtual"
      ? { origin: `${protocol}//${storeBucket}.${host}`, host: `${storeBucket}.${host}`, path: "" }
      : { origin: `${protocol}//${host}`, host, path: `/${storeBucket}` };
  known.set(bucket, address);
  return address;
}
