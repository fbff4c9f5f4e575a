/** Sources of an upload, and files that change under it. */
import { appendFileSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { uncounted } from "../../src/cli/transfer/progress.ts";
import { type FileSource, openSource } from "../../src/cli/transfer/source.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-source-"));
afterAll(() => rmSync(dir, { recursive: true }));

let files = 0;
function file(bytes: Buffer | string): string {
  const path = join(dir, String(++files));
  writeFileSync(path, bytes);
  return path;
}

const CHANGES = {
  "is appended to": (path: string) => appendFileSync(path, "more"),
  "is cut": (path: string) => writeFileSync(path, ""),
  "is replaced by another of its length and time": (path: string) => {
    writeFileSync(`${path}.new`, "B".repeat(100_000));
    utimesSync(`${path}.new`, new Date(0), new Date(0));
    renameSync(`${path}.new`, path);
  },
  "is rewritten, and its time put back": (path: string) => {
    writeFileSync(path, "B".repeat(100_000));
    utimesSync(path, new Date(0), new Date(0));
  },
  "is removed": (path: string) => rmSync(path),
};

test.for(Object.entries(CHANGES))("the last byte of a file that %s is never sent", async ([, change]) => {
  const path = file("A".repeat(100_000));
  utimesSync(path, new Date(0), new Date(0));
  const source = (await openSource(path, () => uncounted)) as FileSource;
  const { body } = await source.open(0, source.size);
  let sent = 0;
  await expect(async () => {
    for await (const chunk of body) {
      if (sent === 0) change(path);
      sent += chunk.length;
      // What has been read is sent, whatever the file holds by now.
      expect(chunk.every((byte) => byte === 65)).toBe(true);
    }
  }).rejects.toThrow(/changed while it was uploaded|there is no such file/);
  expect(sent).toBe(source.size - 1);
  await expect(source.confirmUnchanged()).rejects.toThrow();
});

test.for([0, 1, 65_536, 65_537, 8 * 2 ** 20])("a file of %d bytes is sent whole", async (size) => {
  const bytes = Buffer.alloc(size, "0123456789abc");
  const source = (await openSource(file(bytes), () => uncounted)) as FileSource;
  const chunks: Buffer[] = [];
  for await (const chunk of (await source.open(0, source.size)).body) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
});

test.for(["/proc/version", "/dev/null", "/proc/cpuinfo"])("%s has no length that counts", async (path) => {
  expect(await openSource(path, () => uncounted)).toHaveProperty("stream");
});

test("a folder, a socket and nothing are told apart", async () => {
  await expect(openSource(dir, () => uncounted)).rejects.toThrow("is a folder: give -r");
  await expect(openSource(join(dir, "none"), () => uncounted)).rejects.toThrow("there is no such file");
});
