import { awsPresignedQuery } from "../../../src/cli/aws-presigner.ts";
import { CREDENTIALS, EXPIRES_IN, HOST, type Peer, SITE } from "./peer.ts";

export const peer: Peer = async ({ key, headers }) => {
  const query = await awsPresignedQuery(
    { method: "GET", ...SITE, addressing: "virtual", key, headers, query: { "x-id": "GetObject" } },
    { credentials: CREDENTIALS, signingDate: new Date(), expiresIn: EXPIRES_IN },
  );
  return `https://${HOST}/${key}?${new URLSearchParams(query)}`;
};
