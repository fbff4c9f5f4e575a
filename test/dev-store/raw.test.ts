/** What no SDK would send: requests written by hand, as a strange client or an attacker would. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bucket } from "../../src/config/load.ts";
import { type RunningStore, startStore } from "../../src/dev-store/index.ts";
import { customerKey } from "../../src/keys/customer-key.ts";
import { customerKeyHeaders } from "../../src/keys/headers.ts";
import { presign } from "../../src/s3/sign/presign.ts";
import { s3Client } from "../support/s3.ts";

const credentials = { accessKeyId: "test", secretAccessKey: randomBytes(20).toString("hex") };
const data = mkdtempSync(join(tmpdir(), "ssec-store-raw-"));
const headers = customerKeyHeaders(customerKey("k", randomBytes(32)));
let store: RunningStore;

beforeAll(async () => {
  store = await startStore({ data, credentials });
  await s3Client({ url: store.url, ...credentials }).send(new CreateBucketCommand({ Bucket: "bkt" }));
});
afterAll(async () => {
  await store.close();
  rmSync(data, { recursive: true });
});

interface Asked {
  method?: string;
  key?: string;
  headers?: Record<string, string>;
  query?: Record<string, string>;
  addressing?: "path" | "virtual";
  body?: string;
}

async function send({
  method = "GET",
  key = "a",
  headers = {},
  query = {},
  addressing = "path",
  body = "",
}: Asked) {
  const endpoint = addressing === "path" ? store.url : `http://localhost:${store.port}`;
  const at = { name: "s", endpoint, region: "us-east-1", addressing, accessKeyId: "", secretAccessKey: "" };
  const bucket: Bucket = { name: "bkt", storeBucket: "bkt", store: at, keys: [] };
  const signing = { credentials, signingDate: new Date(), expiresIn: 60 };
  const { url } = presign({ method, bucket, key, headers, query }, signing);
  const { host, hostname } = new URL(url);
  const path = url.slice(url.indexOf("/", 8));
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    // Node does not resolve names below localhost; browsers and curl do.
    const address = hostname.endsWith("localhost") ? "127.0.0.1" : hostname;
    const options = {
      host: address,
      port: store.port,
      path,
      method,
      headers: { ...headers, host, "content-length": body.length },
    };
    const outgoing = httpRequest(options, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      incoming.on("end", () => resolve({ status: incoming.statusCode, text }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

test("a bucket is addressed by its host name as by its path", async () => {
  expect(
    (await send({ method: "PUT", key: "v/ü", headers, addressing: "virtual", body: "one" })).status,
  ).toBe(200);
  expect((await send({ key: "v/ü", headers })).text).toBe("one");
  expect((await send({ key: "v/ü", headers, addressing: "virtual" })).text).toBe("one");
});

test("SSE-C in the query is refused, not stored in the clear", async () => {
  const { status, text } = await send({ method: "PUT", query: headers, body: "x" });
  expect([status, text]).toEqual([400, expect.stringContaining("in the query")]);
  expect((await send({})).status).toBe(404);
});

test("SSE-C where S3 takes none is refused", async () => {
  expect((await send({ method: "DELETE", headers })).status).toBe(400);
  const form = new FormData();
  form.append("file", "x");
  const response = await fetch(`${store.url}/bkt`, { method: "POST", headers, body: form });
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("as its fields")]);
});

test.for([
  { "content-md5": createHash("md5").update("other").digest("base64") },
  { "x-amz-checksum-sha256": createHash("sha256").update("other").digest("base64") },
])("a body that is not what was said of it is not kept: %j", async (said) => {
  expect(
    (await send({ method: "PUT", key: "said", headers: { ...headers, ...said }, body: "x" })).status,
  ).toBe(400);
  expect((await send({ key: "said", headers })).status).toBe(404);
});

test.for(["0", "-5", "1.5", "604801"])("X-Amz-Expires=%s is refused", async (expires) => {
  const scope = `test/${new Date().toISOString().slice(0, 10).replaceAll("-", "")}/us-east-1/s3/aws4_request`;
  const query = new URLSearchParams({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": scope,
    "X-Amz-Date": new Date().toISOString().replace(/[-:]|\.\d+/g, ""),
    "X-Amz-Expires": expires,
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "0".repeat(64),
  });
  const response = await fetch(`${store.url}/bkt/a?${query}`);
  expect([response.status, await response.text()]).toEqual([
    400,
    expect.stringContaining("AuthorizationQueryParametersError"),
  ]);
});

test("an upload that is cut off leaves nothing", async () => {
  const at = {
    name: "s",
    endpoint: store.url,
    region: "us-east-1",
    addressing: "path" as const,
    accessKeyId: "",
    secretAccessKey: "",
  };
  const bucket: Bucket = { name: "bkt", storeBucket: "bkt", store: at, keys: [] };
  const signing = { credentials, signingDate: new Date(), expiresIn: 60 };
  const { url } = presign({ method: "PUT", bucket, key: "cut", headers, query: {} }, signing);
  const { host, pathname, search } = new URL(url);
  const lines = Object.entries({ ...headers, host, "content-length": "1000" }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const socket = connect(store.port, "127.0.0.1");
  await new Promise<void>((resolve) => {
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\nonly a part`, () => {
      socket.once("close", () => resolve());
      socket.destroy();
    });
  });
  expect((await send({ key: "cut", headers })).status).toBe(404);
});
