import { AwsV4Signer } from "aws4fetch";
import { CREDENTIALS, EXPIRES_IN, HOST, type Peer, SITE } from "./peer.ts";

/** Of signing keys. */
const cache = new Map<string, ArrayBuffer>();

export const peer: Peer = async ({ key, headers }) => {
  const signer = new AwsV4Signer({
    ...CREDENTIALS,
    url: `https://${HOST}/${key}?X-Amz-Expires=${EXPIRES_IN}`,
    headers: { ...headers },
    region: SITE.region,
    service: "s3",
    signQuery: true,
    allHeaders: true,
    cache,
  });
  return String((await signer.sign()).url);
};
