/** Many URLs by one peer, in whatever runtime this is. */
import { customerKey } from "../../src/keys/customer-key.ts";
import { customerKeyHeaders } from "../../src/keys/headers.ts";
import { PEERS, type PeerName } from "./peers/index.ts";
import type { Job } from "./peers/peer.ts";

/** One customer key for all URLs, or another for each. */
export type Keys = "one" | "each";

export interface Signed {
  readonly url: string;
  readonly headers: Job["headers"];
}

export interface Order {
  readonly peer: PeerName;
  readonly count: number;
  readonly keys: Keys;
  /** Characters of the object key. */
  readonly keyLength: number;
}

/** More keys than any cache of a few would hold. */
const KEY_COUNT = 1000;
let triples: Job["headers"][] | undefined;

export async function signMany({ peer: name, count, keys, keyLength }: Order): Promise<Signed[]> {
  triples ??= Array.from({ length: KEY_COUNT }, () =>
    customerKeyHeaders(customerKey("k", crypto.getRandomValues(new Uint8Array(32)))),
  );
  const peer = PEERS[name];
  const prefix = `users/42/${"x".repeat(Math.max(0, keyLength - 15))}`;
  const signed = new Array<Signed>(count);
  for (let i = 0; i < count; i++) {
    const headers = { ...triples[keys === "one" ? 0 : i % KEY_COUNT] };
    const url = peer({ key: `${prefix}${String(i).padStart(6, "0")}`, headers });
    signed[i] = { url: typeof url === "string" ? url : await url, headers };
  }
  return signed;
}
