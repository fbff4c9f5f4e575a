/** How an upload is cut into parts. */
import { MAX_PART_SIZE, MAX_PARTS, MIN_PART_SIZE } from "./limits.ts";

/** Part size for an upload whose length nobody knows yet: up to 625 GiB. */
export const UNKNOWN_SIZE_PART_SIZE = 64 * 2 ** 20;

/**
 * The least power of two that is a part size and lets 10,000 parts suffice; at the very end, where that would be too
 * much for a part, the largest part.
 *
 * @param size bytes, at most MAX_UPLOAD_SIZE
 */
export function choosePartSize(size: number): number {
  const least = Math.max(MIN_PART_SIZE, Math.ceil(size / MAX_PARTS));
  return Math.min(2 ** Math.ceil(Math.log2(least)), MAX_PART_SIZE);
}

/** An upload of nothing is one part of nothing. */
export function partCountOf(size: number, partSize: number): number {
  return Math.max(1, Math.ceil(size / partSize));
}

/** Bytes of a part; undefined where there is no such part. */
export function partLength(size: number, partSize: number, partNumber: number): number | undefined {
  const count = partCountOf(size, partSize);
  if (partNumber > count) return undefined;
  return partNumber < count ? partSize : size - (count - 1) * partSize;
}
