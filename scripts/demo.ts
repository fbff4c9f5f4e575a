/** `npm run demo`: a file goes up and comes down through presigned URLs, and nobody without the key gets it. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type SsecError } from "../src/client/index.ts";
import { BUCKET, startLocal } from "./local.ts";

const KEY = "x-amz-server-side-encryption-customer-key";
const OBJECT = "demo/cat picture.jpg";

// What this and its children write is nobody else's to read.
process.umask(0o077);
const dir = mkdtempSync(join(tmpdir(), "ssec-demo-"));
const local = await startLocal({ dir });
const files = createClient({ url: local.url, token: local.token });
try {
  const file = randomBytes(1_000_000);

  // By a presigned URL, which counts only when the store says that it has encrypted.
  const object = { bucket: BUCKET, key: OBJECT };
  const { size } = await files.upload(file, { ...object, contentType: "image/jpeg" });
  expect("uploads a file through a presigned URL, and the store says that it encrypted", size, file.length);

  const downloaded = await (await files.download(object)).bytes();
  expect("downloads it through another, byte for byte", sha256(downloaded), sha256(file));

  const get = await files.presign({ operation: "GetObject", ...object });
  const keyless = await fetch(get.url);
  expect("without the headers the URL is refused", keyless.status, 403);

  const raw = randomBytes(32);
  const wrong = {
    ...get.headers,
    [KEY]: raw.toString("base64"),
    [`${KEY}-MD5`]: createHash("md5").update(raw).digest("base64"),
  };
  expect("with another key as well", (await fetch(get.url, { headers: wrong })).status, 403);

  const stranger = createClient({ url: local.url, token: "guess" });
  const refusal = await stranger
    .presign({ operation: "GetObject", ...object })
    .catch((error: SsecError) => error);
  expect("and without the token there is no URL", (refusal as SsecError).code, "unauthenticated");
  console.log("\nAll as it should be. `npm start` keeps it running for you to try.");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await local.close();
  rmSync(dir, { recursive: true });
}

function expect(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`✗ ${what}: got ${got}, not ${wanted}`);
  console.log(`✓ ${what}`);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
