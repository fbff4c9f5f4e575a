/** What a body is promised to be: every algorithm, right and wrong, in one piece and in many. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Digests } from "../../src/edge/digests.ts";
import { Crc32, Crc32c, Crc64Nvme } from "../../src/hash/crc.ts";
import { Refused } from "../../src/refused.ts";

const body = new TextEncoder().encode("The quick brown fox jumps over the lazy dog");
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const hash = (name: string, encoding: "base64" | "hex", of: Uint8Array = body) =>
  createHash(name).update(of).digest(encoding);
const crc = (checksum: Crc32 | Crc32c | Crc64Nvme, of: Uint8Array = body) => {
  checksum.update(of);
  return base64(checksum.digest());
};

/** By header, what it says of some bytes. */
const HEADERS: Record<string, (of: Uint8Array) => string> = {
  "content-md5": (of) => hash("md5", "base64", of),
  "x-amz-checksum-crc32": (of) => crc(new Crc32(), of),
  "x-amz-checksum-crc32c": (of) => crc(new Crc32c(), of),
  "x-amz-checksum-crc64nvme": (of) => crc(new Crc64Nvme(), of),
  "x-amz-checksum-sha1": (of) => hash("sha1", "base64", of),
  "x-amz-checksum-sha256": (of) => hash("sha256", "base64", of),
  "x-amz-content-sha256": (of) => hash("sha256", "hex", of),
  "content-digest": (of) => `sha-256=:${hash("sha256", "base64", of)}:`,
  "repr-digest": (of) =>
    `sha-512=:${hash("sha512", "base64", of)}:, sha-256=:${hash("sha256", "base64", of)}:`,
};

function faultsOf(headers: Record<string, string>, pieces: readonly Uint8Array[] = [body]): string[] {
  try {
    const digests = new Digests(new Headers(headers));
    for (const piece of pieces) digests.update(piece);
    digests.verify();
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(Refused);
    expect((error as Refused).reason).toBe("invalid-request");
    return ((error as Refused).errors ?? []).map(({ path }) => path);
  }
}

describe.each(Object.entries(HEADERS))("%s", (header, digestOf) => {
  test("that is right is taken, whatever the pieces", () => {
    expect(faultsOf({ [header]: digestOf(body) })).toEqual([]);
    expect(faultsOf({ [header]: digestOf(body) }, [body.subarray(0, 5), body.subarray(5)])).toEqual([]);
    expect(faultsOf({ [header]: digestOf(new Uint8Array()) }, [])).toEqual([]);
  });

  test("that is wrong is said to be, by name", () => {
    expect(faultsOf({ [header]: digestOf(new Uint8Array([1])) })).toEqual([header]);
    expect(faultsOf({ [header]: digestOf(body) }, [body.subarray(1)])).toEqual([header]);
    expect(faultsOf({ [header]: digestOf(body) }, [])).toEqual([header]);
  });

  test.for([
    "",
    "x",
    "AAAA",
    "@@@@",
    "c2hvcnQ",
    "sha-256=:AAAA:",
    "md5=:AAAAAAAAAAAAAAAAAAAAAA==:",
  ])("that no body has is refused: %j", (value) => expect(faultsOf({ [header]: value })).toEqual([header]));
});

test("all that are wrong are named", () => {
  const headers = { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==", "x-amz-checksum-crc32": "AAAAAA==" };
  expect(faultsOf(headers)).toEqual(["content-md5", "x-amz-checksum-crc32"]);
});

test("a checksum's algorithm may be named beside it, and not without it", () => {
  const right = { "x-amz-checksum-crc32": HEADERS["x-amz-checksum-crc32"]?.(body) ?? "" };
  expect(faultsOf({ ...right, "x-amz-sdk-checksum-algorithm": "CRC32" })).toEqual([]);
  expect(faultsOf({ ...right, "x-amz-sdk-checksum-algorithm": "SHA256" })).toEqual([
    "x-amz-sdk-checksum-algorithm",
  ]);
  expect(faultsOf({ "x-amz-content-sha256": "UNSIGNED-PAYLOAD" })).toEqual([]);
  expect(faultsOf({ "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" })).toEqual([
    "x-amz-content-sha256",
  ]);
});
