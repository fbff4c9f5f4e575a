/** Names that say which of them came later, so that a listing can go on after one that has gone. */
import { randomBytes } from "node:crypto";

let last = 0;

/** Of versions and uploads: grows with every call, and with time from one start to the next. A safe integer. */
export function nextOrder(least = 0): number {
  last = Math.max(Date.now() * 1024, last + 1, least);
  return last;
}

/** A name of 32 characters: hex for an upload, base64url for a version. */
export function nameOf(order: number, encoding: "hex" | "base64url"): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(order));
  return Buffer.concat([bytes, randomBytes(encoding === "hex" ? 8 : 16)]).toString(encoding);
}

export function orderIn(version: string): number {
  const bytes = Buffer.from(version, "base64url");
  return bytes.length === 24 ? Number(bytes.readBigUInt64BE()) : Number.POSITIVE_INFINITY;
}
