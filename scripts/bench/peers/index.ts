/** Who is measured. */
import { peer as aws4 } from "./aws4.ts";
import { peer as aws4fetch } from "./aws4fetch.ts";
import { peer as getSignedUrl } from "./get-signed-url.ts";
import { peer as ours } from "./ours.ts";
import type { Peer } from "./peer.ts";
import { peer as s3RequestPresigner } from "./s3-request-presigner.ts";
import { peer as s3mini } from "./s3mini.ts";

export const PEERS = {
  "ssec-edge": ours,
  aws4fetch,
  aws4,
  s3mini,
  S3RequestPresigner: s3RequestPresigner,
  getSignedUrl,
} as const satisfies Record<string, Peer>;

export type PeerName = keyof typeof PEERS;
export const PEER_NAMES = Object.keys(PEERS) as PeerName[];

/** The file of each, whose bundle is weighed. */
export const PEER_FILES: Readonly<Record<PeerName, string>> = {
  "ssec-edge": "ours",
  aws4fetch: "aws4fetch",
  aws4: "aws4",
  s3mini: "s3mini",
  S3RequestPresigner: "s3-request-presigner",
  getSignedUrl: "get-signed-url",
};
