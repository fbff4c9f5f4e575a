/** Checksums: computed right, verified, kept, given back; and those of parts made into that of the whole. */
import { createHash, randomBytes } from "node:crypto";
import {
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  ALGORITHMS,
  type Algorithm,
  chosenAlgorithm,
  newDigest,
  ofParts,
} from "../../src/dev-store/checksums.ts";
import { outcome, testStore } from "./started.ts";

const dev = testStore();
let Bucket = "";
beforeAll(async () => {
  Bucket = await dev.bucket();
});

function sumOf(algorithm: Algorithm, ...pieces: Uint8Array[]): string {
  const digest = newDigest(algorithm);
  for (const piece of pieces) digest.update(piece);
  return digest.base64();
}
const headerOf = (algorithm: Algorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`;

/** Of "123456789", as the catalogues of CRCs and FIPS have them. */
test.for([
  ["CRC32", "cbf43926"],
  ["CRC32C", "e3069283"],
  ["CRC64NVME", "ae8b14860a799888"],
  ["SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"],
  ["SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"],
] as const)("%s is the published one", ([algorithm, hex]) => {
  expect(Buffer.from(sumOf(algorithm, Buffer.from("123456789")), "base64").toString("hex")).toBe(hex);
});

test.for([
  "CRC32",
  "CRC32C",
  "CRC64NVME",
] as const)("%s of parts is that of the whole, however it is cut", (algorithm) => {
  const cut = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(cut, (pieces) => {
      const parts = pieces.map((piece) => ({ value: sumOf(algorithm, piece), size: piece.length }));
      const whole = sumOf(algorithm, Buffer.concat(pieces));
      expect(sumOf(algorithm, ...pieces)).toBe(whole);
      expect(ofParts(algorithm, "FULL_OBJECT", parts).value).toBe(whole);
    }),
  );
});

describe.for(ALGORITHMS)("%s", (algorithm) => {
  test("right is kept and given back when it is asked for", async () => {
    const body = randomBytes(20_000);
    const Key = `right-${algorithm}`;
    const value = sumOf(algorithm, body);
    const path = `/${Bucket}/${Key}`;
    const put = await dev.send({ method: "PUT", path, body, headers: { [headerOf(algorithm)]: value } });
    expect([put.status, put.headers[headerOf(algorithm)], put.headers["x-amz-checksum-type"]]).toEqual([
      200,
      value,
      "FULL_OBJECT",
    ]);
    for (const method of ["GET", "HEAD"]) {
      const silent = await dev.send({ method, path });
      expect(silent.headers[headerOf(algorithm)]).toBeUndefined();
      const asked = await dev.send({ method, path, headers: { "x-amz-checksum-mode": "ENABLED" } });
      expect(asked.headers[headerOf(algorithm)]).toBe(value);
      const range = { "x-amz-checksum-mode": "ENABLED", range: "bytes=0-9" };
      expect((await dev.send({ method, path, headers: range })).headers[headerOf(algorithm)]).toBeUndefined();
    }
    const { Checksum } = await dev.s3.send(
      new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ["Checksum"] }),
    );
    expect(Checksum?.[`Checksum${algorithm}`]).toBe(value);
    const copy = new CopyObjectCommand({ Bucket, Key: `${Key}-copy`, CopySource: `${Bucket}/${Key}` });
    expect((await dev.s3.send(copy)).CopyObjectResult?.[`Checksum${algorithm}`]).toBe(value);
  });

  test("wrong, or not one at all, is refused, and nothing is kept", async () => {
    const path = `/${Bucket}/wrong-${algorithm}`;
    const put = (value: string, more = {}) =>
      dev.send({ method: "PUT", path, body: "x", headers: { [headerOf(algorithm)]: value, ...more } });
    expect((await put(sumOf(algorithm, Buffer.from("y")))).code).toBe("BadDigest");
    expect((await put("AAAA")).code).toBe("InvalidRequest");
    expect((await put("not base64")).code).toBe("InvalidRequest");
    const right = sumOf(algorithm, Buffer.from("x"));
    const other = algorithm === "SHA1" ? "SHA256" : "SHA1";
    const both = { [headerOf(other)]: sumOf(other, Buffer.from("x")) };
    expect((await put(right, both)).code).toBe("InvalidRequest");
    expect((await put(right, { "x-amz-sdk-checksum-algorithm": other })).code).toBe("InvalidRequest");
    expect((await dev.send({ path })).status).toBe(404);
    expect((await put(right, { "x-amz-sdk-checksum-algorithm": algorithm })).status).toBe(200);
  });

  const isSample = algorithm === ALGORITHMS[0];
  test("of an upload's parts", { tags: isSample ? [] : ["thorough"], timeout: 60_000 }, async () => {
    const types = algorithm.startsWith("SHA")
      ? (["COMPOSITE"] as const)
      : algorithm === "CRC64NVME"
        ? (["FULL_OBJECT"] as const)
        : (["COMPOSITE", "FULL_OBJECT"] as const);
    const pieces = [randomBytes(5 * 2 ** 20), randomBytes(1000)];
    for (const ChecksumType of types) {
      const object = { Bucket, Key: `parts-${algorithm}-${ChecksumType}` };
      const { UploadId, ...created } = await dev.s3.send(
        new CreateMultipartUploadCommand({
          ...object,
          ChecksumAlgorithm: algorithm as ChecksumAlgorithm,
          ChecksumType,
        }),
      );
      expect([created.ChecksumAlgorithm, created.ChecksumType]).toEqual([algorithm, ChecksumType]);
      const name = `Checksum${algorithm}` as const;
      const Parts = await Promise.all(
        pieces.map(async (Body, i) => {
          const part = { ...object, UploadId, PartNumber: i + 1, Body };
          const command = new UploadPartCommand({
            ...part,
            ChecksumAlgorithm: algorithm as ChecksumAlgorithm,
          });
          const { ETag, [name]: value } = await dev.s3.send(command);
          expect(value).toBe(sumOf(algorithm, Body));
          return { ETag, PartNumber: i + 1, [name]: value };
        }),
      );
      const complete = (parts: object[], more = {}) =>
        dev.s3.send(
          new CompleteMultipartUploadCommand({
            ...object,
            UploadId,
            MultipartUpload: { Parts: parts },
            ...more,
          }),
        );
      const bare = Parts.map(({ ETag, PartNumber }) => ({ ETag, PartNumber }));
      if (ChecksumType === "COMPOSITE") expect(await outcome(complete(bare))).toBe("400 InvalidRequest");
      const swapped = Parts.map((part, i) => ({ ...part, [name]: Parts[1 - i]?.[name] }));
      expect(await outcome(complete(swapped))).toBe("400 InvalidPart");
      const wrong = { [name]: sumOf(algorithm, Buffer.from("x")) };
      expect(await outcome(complete(Parts, wrong))).toBe("400 BadDigest");
      expect(await outcome(complete(Parts, { MpuObjectSize: 7 }))).toBe("400 InvalidRequest");
      const done = await complete(Parts, { MpuObjectSize: 5 * 2 ** 20 + 1000 });
      const whole =
        ChecksumType === "FULL_OBJECT"
          ? sumOf(algorithm, ...pieces)
          : `${sumOf(algorithm, ...pieces.map((piece) => Buffer.from(sumOf(algorithm, piece), "base64")))}-2`;
      expect([done[name], done.ChecksumType]).toEqual([whole, ChecksumType]);
      const head = { ...object, ChecksumMode: "ENABLED" } as const;
      expect((await dev.s3.send(new HeadObjectCommand(head)))[name]).toBe(whole);
      const second = await dev.s3.send(new HeadObjectCommand({ ...head, PartNumber: 2 }));
      expect([second[name], second.PartsCount, second.ContentLength]).toEqual([Parts[1]?.[name], 2, 1000]);
      const { ObjectParts } = await dev.s3.send(
        new GetObjectAttributesCommand({ ...object, ObjectAttributes: ["ObjectParts"], MaxParts: 1 }),
      );
      expect(ObjectParts).toMatchObject({ TotalPartsCount: 2, IsTruncated: true, NextPartNumberMarker: "1" });
    }
  });
});

test("an upload's parts bring the checksum that it was created for", async () => {
  const object = { Bucket, Key: "mismatch" };
  const create = async (more: object) =>
    (await dev.s3.send(new CreateMultipartUploadCommand({ ...object, ...more }))).UploadId;
  const part = (UploadId: string | undefined, headers: Record<string, string>) =>
    dev.send({
      method: "PUT",
      path: `/${Bucket}/mismatch?partNumber=1&uploadId=${UploadId}`,
      body: "x",
      headers,
    });
  const sha = { "x-amz-checksum-sha256": createHash("sha256").update("x").digest("base64") };
  const crc = { "x-amz-checksum-crc32": sumOf("CRC32", Buffer.from("x")) };
  const composite = await create({ ChecksumAlgorithm: "SHA256" });
  expect((await part(composite, sha)).status).toBe(200);
  expect((await part(composite, crc)).code).toBe("InvalidRequest");
  expect((await part(composite, {})).code).toBe("InvalidRequest");
  const full = await create({ ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
  const unsaid = await part(full, {});
  expect([unsaid.status, unsaid.headers["x-amz-checksum-crc32"]]).toEqual([200, crc["x-amz-checksum-crc32"]]);
  const none = await create({});
  expect((await part(none, crc)).status).toBe(200);
  expect((await part(none, { ...crc, "x-amz-checksum-crc32": "AAAAAA==" })).code).toBe("BadDigest");
  const CopySource = `${Bucket}/mismatch-source`;
  await dev.s3.send(new PutObjectCommand({ Bucket, Key: "mismatch-source", Body: "x" }));
  const copied = await dev.s3.send(
    new UploadPartCopyCommand({ ...object, UploadId: composite, PartNumber: 2, CopySource }),
  );
  expect(copied.CopyPartResult?.ChecksumSHA256).toBe(sha["x-amz-checksum-sha256"]);
});

test.for([
  [{ "x-amz-checksum-algorithm": "MD4" }],
  [{ "x-amz-checksum-type": "COMPOSITE" }],
  [{ "x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "FULL_OBJECT" }],
  [{ "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE" }],
  [{ "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "BOTH" }],
] as const)("no upload has %j", async ([headers]) => {
  expect(() => chosenAlgorithm(headers)).toThrow();
  expect((await dev.send({ method: "POST", path: `/${Bucket}/k?uploads=`, headers })).code).toBe(
    "InvalidRequest",
  );
});

test("the SDK verifies what it reads", async () => {
  for (const ChecksumAlgorithm of ALGORITHMS as ChecksumAlgorithm[]) {
    const Key = `sdk-${ChecksumAlgorithm}`;
    await dev.s3.send(new PutObjectCommand({ Bucket, Key, Body: "read", ChecksumAlgorithm }));
    const { Body } = await dev.s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    expect(await Body?.transformToString()).toBe("read");
  }
});
