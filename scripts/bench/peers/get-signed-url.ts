import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { CREDENTIALS, EXPIRES_IN, type Peer, SITE } from "./peer.ts";

let client: S3Client | undefined;

export const peer: Peer = ({ key, headers }) => {
  client ??= new S3Client({
    endpoint: SITE.endpoint,
    region: SITE.region,
    credentials: CREDENTIALS,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const command = new GetObjectCommand({
    Bucket: SITE.bucket,
    Key: key,
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: headers["x-amz-server-side-encryption-customer-key"],
    SSECustomerKeyMD5: headers["x-amz-server-side-encryption-customer-key-MD5"],
  });
  return getSignedUrl(client, command, { expiresIn: EXPIRES_IN });
};
