/** A development store for a test file, with an SDK that talks to it and a way to send what no SDK would. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, type S3Client, type S3ServiceException } from "@aws-sdk/client-s3";
import aws4 from "aws4";
import { afterAll, beforeAll } from "vitest";
import { type RunningStore, startStore } from "../../src/dev-store/index.ts";
import { s3Client } from "../support/s3.ts";

export const credentials = { accessKeyId: "test", secretAccessKey: randomBytes(20).toString("hex") };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** S3's, of an error. */
  readonly code: string | undefined;
}

export interface Asked {
  readonly method?: string;
  /** As it goes over the wire, from the bucket on. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Headers that are sent and not signed. */
  readonly unsigned?: Readonly<Record<string, string>>;
}

export interface TestStore {
  readonly store: RunningStore;
  readonly s3: S3Client;
  /** Makes a bucket and answers its name. */
  bucket(more?: object): Promise<string>;
  send(asked: Asked): Promise<Answer>;
}

/** Starts it before the file's tests and ends it after them. */
export function testStore(now: () => number = () => Date.now()): TestStore {
  const data = mkdtempSync(join(tmpdir(), "ssec-store-test-"));
  let running: RunningStore | undefined;
  let client: S3Client | undefined;
  let buckets = 0;
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the store has not started");
    return value;
  };
  beforeAll(async () => {
    running = await startStore({ data, credentials, now, flushes: false });
    client = s3Client({ url: running.url, ...credentials }, { maxAttempts: 1 });
  });
  afterAll(async () => {
    client?.destroy();
    await running?.close();
    rmSync(data, { recursive: true });
  });
  return {
    get store() {
      return there(running);
    },
    get s3() {
      return there(client);
    },
    async bucket(more = {}) {
      const Bucket = `bucket-${++buckets}`;
      await there(client).send(new CreateBucketCommand({ Bucket, ...more }));
      return Bucket;
    },
    send: (asked) => send(there(running).port, asked),
  };
}

function send(
  port: number,
  { method = "GET", path, headers = {}, body, unsigned = {} }: Asked,
): Promise<Answer> {
  const host = `127.0.0.1:${port}`;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const signed = aws4.sign(
    {
      host,
      method,
      path,
      service: "s3",
      region: "us-east-1",
      headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD", ...length, ...headers },
    },
    credentials,
  );
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        headers: { ...signed.headers, ...unsigned },
      },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (chunk) => {
          text += chunk;
        });
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            code: /<Code>(\w+)</.exec(text)?.[1],
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** What came of it: "ok", or the status and S3's code. */
export function outcome(sent: Promise<unknown>): Promise<string> {
  return sent.then(
    () => "ok",
    (error: S3ServiceException) => `${error.$metadata?.httpStatusCode} ${error.name}`,
  );
}
