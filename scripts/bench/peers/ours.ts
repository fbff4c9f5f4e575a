import { presign } from "../../../src/s3/sign/presign.ts";
import { CREDENTIALS, EXPIRES_IN, type Peer, SITE } from "./peer.ts";

const bucket = {
  name: SITE.bucket,
  storeBucket: SITE.bucket,
  store: {
    name: "s",
    endpoint: SITE.endpoint,
    region: SITE.region,
    addressing: "virtual",
    accessKeyId: "",
    secretAccessKey: "",
  },
  keys: [],
} as const;

export const peer: Peer = ({ key, headers }) =>
  presign(
    { method: "GET", bucket, key, headers, query: { "x-id": "GetObject" } },
    { credentials: CREDENTIALS, signingDate: new Date(), expiresIn: EXPIRES_IN },
  ).url;
