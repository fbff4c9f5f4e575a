/** `npm run demo`: a file goes up and comes down through presigned URLs, and nobody without the key gets it. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUCKET, startLocal } from "./local.ts";

interface Presigned {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
}

const KEY = "x-amz-server-side-encryption-customer-key";
const OBJECT = "demo/cat picture.jpg";

// What this and its children write is nobody else's to read.
process.umask(0o077);
const dir = mkdtempSync(join(tmpdir(), "ssec-demo-"));
const local = await startLocal({ dir });
try {
  const file = randomBytes(1_000_000);

  const put = await presign({
    operation: "PutObject",
    key: OBJECT,
    contentType: "image/jpeg",
    contentLength: file.length,
  });
  const uploaded = await fetch(put.url, { method: put.method, headers: put.headers, body: file });
  expect("uploads a file through a presigned URL", uploaded.status, 200);
  expect(
    "and the store says that it encrypted",
    uploaded.headers.get(KEY.replace(/key$/, "algorithm")),
    "AES256",
  );

  const get = await presign({ operation: "GetObject", key: OBJECT });
  const downloaded = await fetch(get.url, { headers: get.headers });
  expect("downloads it through another", downloaded.status, 200);
  expect("byte for byte", sha256(new Uint8Array(await downloaded.arrayBuffer())), sha256(file));

  const keyless = await fetch(get.url);
  expect("without the headers the URL is refused", keyless.status, 403);

  const raw = randomBytes(32);
  const wrong = {
    ...get.headers,
    [KEY]: raw.toString("base64"),
    [`${KEY}-MD5`]: createHash("md5").update(raw).digest("base64"),
  };
  expect("with another key as well", (await fetch(get.url, { headers: wrong })).status, 403);

  const stranger = await fetch(`${local.url}/v1/presign`, {
    method: "POST",
    headers: { authorization: "Bearer guess" },
  });
  expect("and without the token there is no URL", stranger.status, 401);
  console.log("\nAll as it should be. `npm start` keeps it running for you to try.");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await local.close();
  rmSync(dir, { recursive: true });
}

async function presign(request: object): Promise<Presigned> {
  const response = await fetch(`${local.url}/v1/presign`, {
    method: "POST",
    headers: { authorization: `Bearer ${local.token}` },
    body: JSON.stringify({ bucket: BUCKET, ...request }),
  });
  const answer = (await response.json()) as Presigned & { detail?: string };
  if (!response.ok) throw new Error(`not presigned: ${answer.detail}`);
  return answer;
}

function expect(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`✗ ${what}: got ${got}, not ${wanted}`);
  console.log(`✓ ${what}`);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
