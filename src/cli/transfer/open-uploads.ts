/** Uploads in parts that this process has begun and not ended: none is left in the store without a word. */
import { nameOf, type ObjectName } from "./location.ts";
import type { Upload } from "./presigned.ts";

interface Open {
  readonly upload: Upload;
  /** Ends it, and frees its parts. */
  abort(): Promise<void>;
  /** Whether a later command can go on with it. */
  readonly isRemembered: boolean;
}

const open = new Map<string, Open>();

export function beginOpen(upload: Upload, how: Omit<Open, "upload">): void {
  open.set(upload.uploadId, { upload, ...how });
}

export function endOpen({ uploadId }: Upload): void {
  open.delete(uploadId);
}

/** Whether an upload to that object is open. */
export function isOpen(object: ObjectName): boolean {
  return [...open.values()].some(({ upload }) => nameOf(upload) === nameOf(object));
}

/** `BUCKET/KEY` of each that a later command can go on with. */
export function openNames(): string[] {
  return [...open.values()].filter((each) => each.isRemembered).map(({ upload }) => nameOf(upload));
}

/**
 * Ends those that no later command can go on with.
 *
 * @returns `BUCKET/KEY` of each that could not be ended
 */
export async function abortForgotten(): Promise<string[]> {
  const forgotten = [...open.values()].filter((each) => !each.isRemembered);
  const ended = await Promise.allSettled(forgotten.map((each) => each.abort()));
  return forgotten.flatMap(({ upload }, i) => (ended[i]?.status === "rejected" ? [nameOf(upload)] : []));
}
