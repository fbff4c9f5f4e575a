/** Files that others' clients move, and what came of them. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";

/** Files to move: small, empty, oddly named, and one of several parts. */
export function someFiles(): Record<string, Buffer> {
  return {
    "one.txt": Buffer.from("one\n"),
    "deep/er/two ü + & 'quoted' %41.txt": Buffer.from("two\n"),
    "empty.txt": Buffer.alloc(0),
    "large.bin": randomBytes(20 * 2 ** 20),
  };
}

export function writeFiles(dir: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, body] of Object.entries(files)) {
    const file = join(dir, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, body);
  }
}

/** Names and bytes below a folder. */
export function filesIn(dir: string): Record<string, Buffer> {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [file.slice(dir.length + 1), readFileSync(file)];
    }),
  );
}

/** Not by `toEqual`, whose report of what differs would be 20 MiB long. */
export function expectSame(found: Record<string, Buffer>, expected: Record<string, Buffer>): void {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, body] of Object.entries(expected)) expect(found[name]?.equals(body), name).toBe(true);
}
