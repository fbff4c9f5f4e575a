import aws4 from "aws4";
import { CREDENTIALS, EXPIRES_IN, HOST, type Peer, SITE } from "./peer.ts";

export const peer: Peer = ({ key, headers }) => {
  const { path } = aws4.sign(
    {
      host: HOST,
      path: `/${key}?X-Amz-Expires=${EXPIRES_IN}`,
      headers: { ...headers },
      region: SITE.region,
      service: "s3",
      signQuery: true,
    },
    CREDENTIALS,
  );
  return `https://${HOST}${path}`;
};
