/** The checksums of S3, against the values that their catalogue gives. */
import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { type Checksum, Crc32, Crc32c, Crc64Nvme } from "../../src/hash/crc.ts";
import { joinedCrc } from "../../src/hash/crc-joined.ts";

const utf8 = new TextEncoder();

test.for<[string, () => Checksum, string, string]>([
  ["CRC32", () => new Crc32(), "cbf43926", "00000000"],
  ["CRC32C", () => new Crc32c(), "e3069283", "00000000"],
  ["CRC64NVME", () => new Crc64Nvme(), "ae8b14860a799888", "0000000000000000"],
])("%s", ([, make, check, ofNothing]) => {
  const hex = (checksum: Checksum) => Buffer.from(checksum.digest()).toString("hex");
  expect(hex(make())).toBe(ofNothing);
  const text = utf8.encode("123456789");
  for (let cut = 0; cut <= text.length; cut++) {
    const checksum = make();
    checksum.update(text.subarray(0, cut));
    checksum.update(text.subarray(cut));
    expect(hex(checksum)).toBe(check);
  }
});

test("CRC32C of iSCSI's examples", () => {
  const of = (bytes: Uint8Array) => {
    const checksum = new Crc32c();
    checksum.update(bytes);
    return Buffer.from(checksum.digest()).toString("hex");
  };
  expect(of(new Uint8Array(32))).toBe("8a9136aa");
  expect(of(new Uint8Array(32).fill(255))).toBe("62a8ab43");
});

test.for([
  ["crc32", () => new Crc32()],
  ["crc32c", () => new Crc32c()],
  ["crc64nvme", () => new Crc64Nvme()],
] as const)("the %s of a whole follows from those of its pieces", ([name, make]) => {
  const of = (bytes: Uint8Array) => {
    const checksum = make();
    checksum.update(bytes);
    return BigInt(`0x${Buffer.from(checksum.digest()).toString("hex")}`);
  };
  const whole = crypto.getRandomValues(new Uint8Array(10_000));
  for (const cuts of [[], [0], [1], [10_000], [1, 2, 3], [4096, 8192], [17, 17, 9999]]) {
    const ends = [...cuts, whole.length];
    const pieces = ends.map((end, i) => whole.subarray(ends[i - 1] ?? 0, end));
    const joined = joinedCrc(
      name,
      pieces.map((piece) => ({ crc: of(piece), length: piece.length })),
    );
    expect(joined).toBe(of(whole));
  }
});
