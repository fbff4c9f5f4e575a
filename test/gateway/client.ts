/** AWS's own client, unmodified, as a caller of the gateway. */
import { createHash } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http";
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import aws4 from "aws4";
import { api, secrets, xmlValue } from "../support/client.ts";
import { type Exchanged, exchange } from "../support/exchange.ts";
import { s3Client } from "../support/s3.ts";

/** By the name of the caller, whose token is its secret. */
export function gatewayClient(caller = "all", more: S3ClientConfig = {}): S3Client {
  const secretAccessKey = secrets[`${caller.toUpperCase().replaceAll("-", "_")}_TOKEN`] ?? "";
  return s3Client({ url: `${api}/s3`, accessKeyId: caller, secretAccessKey }, more);
}

/** What S3 answers where something is refused. */
export async function fault(sent: Promise<unknown>): Promise<{ name: string; status: number | undefined }> {
  try {
    await sent;
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    return { name, status: $metadata?.httpStatusCode };
  }
  throw new Error("it was not refused");
}

export interface Raw {
  readonly method: string;
  /** Path and query, as they are signed and sent. */
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly caller?: string;
  /** Where it goes; the host that is signed is another one where `headers` say so. */
  readonly url?: string;
  readonly secret?: string;
}

/** The headers of a request that is signed. */
export function signed({
  method,
  path,
  headers = {},
  body = "",
  caller = "all",
  url = api,
  secret,
}: Raw): OutgoingHttpHeaders {
  const { host } = new URL(url);
  const payload = createHash("sha256").update(body).digest("hex");
  const length =
    method === "PUT" || method === "POST" ? { "content-length": String(Buffer.byteLength(body)) } : {};
  const request = {
    ...{ method, path, host, service: "s3", region: "us-east-1" },
    headers: { host, "x-amz-content-sha256": payload, ...length, ...headers },
  };
  const secretAccessKey = secret ?? secrets[`${caller.toUpperCase()}_TOKEN`] ?? "";
  return aws4.sign(request, { accessKeyId: caller, secretAccessKey }).headers as OutgoingHttpHeaders;
}

/** A request as it stands, for what AWS's client does not send. */
export function raw(asked: Raw): Promise<Exchanged> {
  const { method, path, body = "", url = api } = asked;
  const { hostname, port } = new URL(url);
  return exchange({ hostname, port, method, path, headers: signed(asked) }, [body]);
}

/**
 * A URL that says everything by itself, by a signer that is not AWS's.
 *
 * @param path with its query
 */
export function presigned(method: string, path: string): string {
  const { host } = new URL(api);
  const request = { method, host, service: "s3", region: "us-east-1", signQuery: true, headers: {} };
  const asked = `${path}${path.includes("?") ? "&" : "?"}X-Amz-Expires=300`;
  const credentials = { accessKeyId: "all", secretAccessKey: secrets.ALL_TOKEN ?? "" };
  return `${api}${aws4.sign({ ...request, path: asked }, credentials).path}`;
}

export const codeIn = ({ body }: Exchanged) => xmlValue(body.toString(), "Code");
