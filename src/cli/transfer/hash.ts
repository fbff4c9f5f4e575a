/** A file's hash, however long it is. */
import type { Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Moved } from "./progress.ts";

export async function hashFile(path: string, hash: Hash, progress: Moved): Promise<void> {
  try {
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk);
      progress.add(chunk.length);
    }
  } finally {
    progress.end();
  }
}
