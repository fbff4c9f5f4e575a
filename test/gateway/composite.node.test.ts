/** A checksum of the parts' checksums, at the end of an upload: it is held, or refused. */
import { createHash } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
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
  expect((await fault(complete({ ChecksumCRC64NVME: "AAAAAAAAAAA=" }))).name).toBe("NotImplemented");
  expect((await complete({ ChecksumSHA256: `${ChecksumSHA256}-2` })).ETag).toMatch(/-2"$/);
});
