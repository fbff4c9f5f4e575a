/** Requests to /v1/objects as they stand: fetch would set and hide headers of its own. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { S3Client } from "@aws-sdk/client-s3";
import { api, type ProblemBody, secrets, store } from "./client.ts";

export const MiB = 2 ** 20;

export const path = (bucket: string, key: string, query = "") =>
  `/v1/objects/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}${query}`;

export interface EdgeAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

interface EdgeOptions {
  headers?: Record<string, string>;
  /** Of several pieces it goes in chunks, without a length. */
  body?: Buffer | readonly Buffer[];
  token?: string;
}

export function edge(
  method: string,
  path: string,
  { headers = {}, body, token = "ALL_TOKEN" }: EdgeOptions = {},
): Promise<EdgeAnswer> {
  const { hostname, port } = new URL(api);
  const length = Buffer.isBuffer(body) ? { "content-length": String(body.length) } : {};
  const authorization = `Bearer ${secrets[token]}`;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { hostname, port, path, method, headers: { authorization, ...length, ...headers } },
      (incoming: IncomingMessage) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    for (const piece of Buffer.isBuffer(body) ? [body] : (body ?? [])) outgoing.write(piece);
    outgoing.end();
  });
}

export const problem = ({ body }: EdgeAnswer) => JSON.parse(body.toString()) as ProblemBody;

/** The store itself, without the service. */
export const s3 = new S3Client({
  endpoint: store.url,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
});
