import { S3mini } from "s3mini";
import { CREDENTIALS, EXPIRES_IN, HOST, type Peer, SITE } from "./peer.ts";

let s3: S3mini | undefined;

export const peer: Peer = ({ key, headers }) => {
  s3 ??= new S3mini({ ...CREDENTIALS, endpoint: `https://${HOST}`, region: SITE.region });
  return s3.getPresignedUrl("GET", key, EXPIRES_IN, {}, { ...headers });
};
