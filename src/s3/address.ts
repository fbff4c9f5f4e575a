/** Where a bucket is reached: by a host name of its own, or by a path below the store's. */
import type { Bucket } from "../config/load.ts";

export interface Address {
  /** `https:` or `http:` */
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  /** `""`, or `/bucket` under path addressing. */
  readonly path: string;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html */
export function addressOf({ store, storeBucket }: Bucket): Address {
  const { protocol, hostname, port } = new URL(store.endpoint);
  const at = { protocol, port: port === "" ? undefined : Number(port) };
  return store.addressing === "virtual"
    ? { ...at, hostname: `${storeBucket}.${hostname}`, path: "" }
    : { ...at, hostname, path: `/${storeBucket}` };
}

/** `https://media.example.com:9000` */
export function originOf({ protocol, hostname, port }: Address): string {
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
}
