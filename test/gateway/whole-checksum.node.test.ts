/** A checksum of the whole, at the end of an upload: it is held against those of the parts. */
import { createHash } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { type Checksum, Crc32, Crc32c, Crc64Nvme } from "../../src/hash/crc.ts";
import { freshKey } from "../support/client.ts";
import { fault, gatewayClient } from "./client.ts";

const s3 = gatewayClient();
const sha256 = (...pieces: Buffer[]) => createHash("sha256").update(Buffer.concat(pieces)).digest();

test("the checksum of the parts' checksums is held against them", async () => {
  const object = { Bucket: "media", Key: freshKey() };
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: "SHA256" }),
  );
  const pieces = [Buffer.alloc(5 * 2 ** 20, 1), Buffer.from("the rest")];
  const Parts = await Promise.all(
    pieces.map(async (Body, i) => {
      const PartNumber = i + 1;
      const ChecksumSHA256 = sha256(Body).toString("base64");
      const upload = { ...object, UploadId, PartNumber, Body, ChecksumSHA256 };
      const { ETag } = await s3.send(new UploadPartCommand(upload));
      return { PartNumber, ETag, ChecksumSHA256 };
    }),
  );
  const complete = (more: Partial<CompleteMultipartUploadCommandInput>) =>
    s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts }, ...more }));
  const ChecksumSHA256 = sha256(...pieces.map((piece) => sha256(piece))).toString("base64");

  const whole = sha256(...pieces).toString("base64");
  expect(await fault(complete({ ChecksumSHA256: whole }))).toEqual({ name: "BadDigest", status: 400 });
  const bare = { Parts: Parts.map(({ ChecksumSHA256: _, ...part }) => part) };
  expect(await fault(complete({ ChecksumSHA256, MultipartUpload: bare }))).toEqual({
    name: "InvalidRequest",
    status: 400,
  });
  expect((await fault(complete({ ChecksumSHA256, ChecksumType: "FULL_OBJECT" }))).name).toBe(
    "InvalidRequest",
  );
  expect((await complete({ ChecksumSHA256: `${ChecksumSHA256}-2` })).ETag).toMatch(/-2"$/);
});

test.for<["CRC32" | "CRC32C" | "CRC64NVME", () => Checksum]>([
  ["CRC32", () => new Crc32()],
  ["CRC32C", () => new Crc32c()],
  ["CRC64NVME", () => new Crc64Nvme()],
])("the %s of the whole is held against those of the parts", async ([ChecksumAlgorithm, make]) => {
  const crc = (...pieces: Buffer[]) => {
    const checksum = make();
    for (const piece of pieces) checksum.update(piece);
    return Buffer.from(checksum.digest()).toString("base64");
  };
  const object = { Bucket: "media", Key: freshKey() };
  const name = `Checksum${ChecksumAlgorithm}` as const;
  const begun = await s3.send(
    new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm, ChecksumType: "FULL_OBJECT" }),
  );
  expect(begun).toMatchObject({ ChecksumAlgorithm, ChecksumType: "FULL_OBJECT" });
  const { UploadId } = begun;
  const pieces = [Buffer.alloc(5 * 2 ** 20, 1), Buffer.from("the rest")];
  const Parts = await Promise.all(
    pieces.map(async (Body, i) => {
      const PartNumber = i + 1;
      const part = { ...object, UploadId, PartNumber, Body, [name]: crc(Body) };
      const { ETag, ...told } = await s3.send(new UploadPartCommand(part));
      expect(told[name]).toBe(crc(Body));
      return { PartNumber, ETag, [name]: told[name] };
    }),
  );
  const complete = (value: string, more: Partial<CompleteMultipartUploadCommandInput> = {}) =>
    s3.send(
      new CompleteMultipartUploadCommand({
        ...{ ...object, UploadId, MultipartUpload: { Parts }, [name]: value, ChecksumType: "FULL_OBJECT" },
        ...more,
      }),
    );
  const wrong = await fault(complete(crc(...[...pieces].reverse())));
  expect(wrong).toEqual({ name: "BadDigest", status: 400 });
  const bare = { Parts: Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) };
  expect((await fault(complete(crc(...pieces), { MultipartUpload: bare }))).name).toBe("InvalidRequest");
  expect((await fault(s3.send(new HeadObjectCommand(object)))).status).toBe(404);
  await complete(crc(...pieces));
  expect((await s3.send(new HeadObjectCommand(object))).ContentLength).toBe(5 * 2 ** 20 + 8);
});
