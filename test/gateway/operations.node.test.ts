/** Every operation of the gateway, by AWS's own client, which knows nothing of keys. */
import { randomBytes } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketLocationCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { call, freshKey, isCeph, store } from "../support/client.ts";
import { s3Client } from "../support/s3.ts";
import { codeIn, fault, gatewayClient, raw } from "./client.ts";

const s3 = gatewayClient();
const Bucket = "media";
const MiB = 2 ** 20;

async function encrypted(key: string, bucket = Bucket): Promise<unknown> {
  const answer = await call("/v1/verify", { method: "POST", body: JSON.stringify({ bucket, key }) });
  return ((await answer.json()) as { encrypted: unknown }).encrypted;
}

async function bytesOf(key: string, bucket = Bucket): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

test("an object goes in, and comes out as it was", async () => {
  const Key = freshKey("ünï code/a b+c%.bin");
  const Body = randomBytes(100_000);
  const put = await s3.send(
    new PutObjectCommand({
      ...{ Bucket, Key, Body, ContentType: "image/png", CacheControl: "max-age=60" },
      ...{ Metadata: { who: "me" }, Tagging: "a=1" },
    }),
  );
  expect(put.ETag).not.toMatch(/^"[0-9a-f]{32}"$/);
  expect(await encrypted(Key)).toBe(true);
  expect((await bytesOf(Key)).equals(Body)).toBe(true);
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  expect(head).toMatchObject({
    ...{ ETag: put.ETag, ContentLength: Body.length, ContentType: "image/png", CacheControl: "max-age=60" },
    Metadata: { who: "me" },
  });
  expect(head.SSECustomerAlgorithm).toBeUndefined();
  const range = await s3.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=10-19" }));
  expect(range.ContentRange).toBe(`bytes 10-19/${Body.length}`);
  expect(Buffer.from((await range.Body?.transformToByteArray()) ?? []).equals(Body.subarray(10, 20))).toBe(
    true,
  );
});

test("conditions are held by the ETags that were given out", async () => {
  const Key = freshKey();
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: "one" }));
  expect(await fault(s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", IfNoneMatch: "*" })))).toEqual({
    name: "PreconditionFailed",
    status: 412,
  });
  expect(await fault(s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", IfMatch: '"0"' })))).toEqual({
    name: "PreconditionFailed",
    status: 412,
  });
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: "two", IfMatch: ETag }));
  expect((await fault(s3.send(new GetObjectCommand({ Bucket, Key, IfMatch: ETag })))).status).toBe(412);
  const { ETag: now } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  expect((await fault(s3.send(new GetObjectCommand({ Bucket, Key, IfNoneMatch: now })))).status).toBe(304);
});

test("objects are removed one by one, and many at once", async () => {
  const keys = [freshKey("a"), freshKey("b & <c>"), freshKey("d")];
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: keys[0] }));
  expect((await fault(s3.send(new GetObjectCommand({ Bucket, Key: keys[0] })))).name).toBe("NoSuchKey");
  const { Deleted, Errors } = await s3.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }),
  );
  expect(Deleted?.map(({ Key }) => Key)).toEqual(keys);
  expect(Errors).toBeUndefined();
  expect((await fault(s3.send(new HeadObjectCommand({ Bucket, Key: keys[1] })))).status).toBe(404);
});

test("an object that is named again and again is removed, and told of each time", async () => {
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      const Key = freshKey();
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
      const Objects = Array.from({ length: 16 }, () => ({ Key }));
      // Of one that is gone by then, a store to which it is passed on as it stands may die.
      for (let i = 0; i < 10; i++) {
        const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
        expect(Deleted).toEqual(Objects);
      }
      expect((await fault(s3.send(new HeadObjectCommand({ Bucket, Key })))).status).toBe(404);
    }),
  );
});

test("in a bucket with versions each answer says which one it is about", async () => {
  const [Key, other] = [freshKey(), freshKey()];
  const there = { Bucket: "vault", Key };
  await s3Client(store).send(
    new PutBucketVersioningCommand({ Bucket: "vault", VersioningConfiguration: { Status: "Enabled" } }),
  );
  const put = await s3.send(new PutObjectCommand({ ...there, Body: "put" }));
  const copied = await s3.send(
    new CopyObjectCommand({ ...there, CopySource: `vault/${Key}`, MetadataDirective: "REPLACE" }),
  );
  expect(copied.CopySourceVersionId).toBe(put.VersionId);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(there));
  const { ETag } = await s3.send(new UploadPartCommand({ ...there, UploadId, PartNumber: 1, Body: "parts" }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  const done = await s3.send(new CompleteMultipartUploadCommand({ ...there, UploadId, MultipartUpload }));
  const versions = [put.VersionId, copied.VersionId, done.VersionId];
  expect(new Set(versions).size).toBe(3);
  for (const [i, body] of ["put", "put", "parts"].entries()) {
    const got = await s3.send(new GetObjectCommand({ ...there, VersionId: versions[i] }));
    expect([got.VersionId, await got.Body?.transformToString()]).toEqual([versions[i], body]);
  }

  const covered = await s3.send(new DeleteObjectCommand(there));
  expect([covered.DeleteMarker, versions.includes(covered.VersionId)]).toEqual([true, false]);
  // RGW 16 tells of no marker: there is no such object, whatever its version.
  const marked = isCeph ? {} : { "x-amz-delete-marker": "true", "x-amz-version-id": covered.VersionId };
  const path = `/s3/vault/${Key}`;
  for (const method of ["GET", "HEAD"]) {
    const gone = await raw({ method, path });
    expect([gone.status, gone.headers], method).toEqual([404, expect.objectContaining(marked)]);
    const itself = await raw({ method, path: `${path}?versionId=${covered.VersionId}` });
    const more = isCeph ? {} : { allow: "DELETE", "last-modified": expect.stringMatching(/ GMT$/) };
    expect([itself.status, itself.headers], method).toEqual([
      isCeph ? 404 : 405,
      expect.objectContaining({ ...marked, ...more }),
    ]);
    const never = await raw({ method, path: `${path}-never` });
    expect([never.status, "x-amz-delete-marker" in never.headers], method).toEqual([404, false]);
  }
  const headers = { "x-amz-copy-source": `/vault/${Key}` };
  const uncopied = await raw({ method: "PUT", path: `${path}-copy`, headers });
  expect([uncopied.status, codeIn(uncopied), "x-amz-delete-marker" in uncopied.headers]).toEqual([
    404,
    "NoSuchKey",
    false,
  ]);
  const uncovered = await s3.send(new DeleteObjectCommand({ ...there, VersionId: covered.VersionId }));
  expect([uncovered.DeleteMarker, uncovered.VersionId]).toEqual([true, covered.VersionId]);
  const removed = await s3.send(new DeleteObjectCommand({ ...there, VersionId: put.VersionId }));
  expect([removed.DeleteMarker, removed.VersionId]).toEqual([undefined, put.VersionId]);

  await s3.send(new PutObjectCommand({ Bucket: "vault", Key: other, Body: "x" }));
  const Objects = [{ Key: other }, { Key, VersionId: copied.VersionId }];
  const { Deleted = [] } = await s3.send(new DeleteObjectsCommand({ Bucket: "vault", Delete: { Objects } }));
  expect(Deleted).toEqual([
    { Key: other, DeleteMarker: true, DeleteMarkerVersionId: expect.any(String) },
    { Key, VersionId: copied.VersionId },
  ]);
  const Markers = [{ Key: other, VersionId: Deleted[0]?.DeleteMarkerVersionId }];
  await s3.send(new DeleteObjectsCommand({ Bucket: "vault", Delete: { Objects: Markers } }));
  expect((await bytesOf(other, "vault")).toString()).toBe("x");
});

test("parts make one object", async () => {
  const Key = freshKey();
  const body = randomBytes(6 * MiB);
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ContentType: "video/mp4", Metadata: { a: "b" } }),
  );
  const Parts = [];
  for (const [PartNumber, Body] of [
    [1, body.subarray(0, 5 * MiB)],
    [2, body.subarray(5 * MiB)],
  ] as const) {
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  const listed = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 }));
  expect(listed).toMatchObject({
    IsTruncated: true,
    NextPartNumberMarker: "1",
    Parts: [{ ...Parts[0], Size: 5 * MiB }],
  });
  const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
  expect(uploads.Uploads?.map((one) => one.Key)).toEqual([Key]);
  const wrong = [...Parts].reverse();
  expect(
    await fault(
      s3.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: wrong } }),
      ),
    ),
  ).toEqual({ name: "InvalidPartOrder", status: 400 });
  const done = await s3.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
  );
  expect(done.ETag).toMatch(/-2"$/);
  expect((await bytesOf(Key)).equals(body)).toBe(true);
  expect(await encrypted(Key)).toBe(true);
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  expect(head).toMatchObject({ ContentType: "video/mp4", Metadata: { a: "b" }, ETag: done.ETag });
});

test("an upload that was begun before its key was replaced is found in a list, and goes on", async () => {
  const Key = freshKey();
  const begin = (Bucket: string) => s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  // The same place, before and after a newer key stands first.
  const given = [await begin("media-old"), await begin("media"), await begin("media-old")];
  const ids: string[] = [];
  for (let [marker, more] = [undefined as string | undefined, true]; more; ) {
    const page = await s3.send(
      new ListMultipartUploadsCommand({
        ...{ Bucket, Prefix: Key, MaxUploads: 1 },
        ...(marker !== undefined && { KeyMarker: Key, UploadIdMarker: marker }),
      }),
    );
    ids.push(...(page.Uploads ?? []).map(({ UploadId = "" }) => UploadId));
    marker = page.NextUploadIdMarker;
    more = page.IsTruncated === true;
  }
  expect(new Set(ids).size).toBe(3);
  // None is the store's own, which is what those of Create begin with.
  expect(ids.map((id) => given.some(({ UploadId = "" }) => UploadId.split(".")[0] === id))).toEqual(
    ids.map(() => false),
  );
  for (const UploadId of ids) {
    const upload = { Bucket, Key, UploadId };
    const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "hello" }));
    const { Parts } = await s3.send(new ListPartsCommand(upload));
    expect(Parts).toMatchObject([{ PartNumber: 1, ETag, Size: 5 }]);
    if (UploadId === ids[0]) {
      await s3.send(new AbortMultipartUploadCommand(upload));
      expect((await fault(s3.send(new ListPartsCommand(upload)))).name).toBe("NoSuchUpload");
    } else {
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
      expect((await bytesOf(Key)).toString()).toBe("hello");
      expect(await encrypted(Key)).toBe(true);
    }
  }
  expect((await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }))).Uploads).toBeUndefined();
});

test("an upload in parts is listed to who may write there, and to nobody else", async () => {
  const key = freshKey();
  for (const Key of [`acme/${key}`, `other/${key}`])
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const list = async (caller: string, Prefix: string) => {
    const { Uploads = [] } = await gatewayClient(caller).send(
      new ListMultipartUploadsCommand({ Bucket, Prefix }),
    );
    return Uploads.map(({ Key }) => Key).filter((one) => one?.endsWith(key));
  };
  expect(await list("limited", "")).toEqual([`acme/${key}`]);
  expect((await fault(list("limited", "other/"))).name).toBe("AccessDenied");
  expect((await fault(list("reader", ""))).name).toBe("AccessDenied");
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  for (const { Key, UploadId } of Uploads.filter((one) => one.Key?.endsWith(key)))
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
});

test("an upload is of one object, and ends when it is aborted", async () => {
  const Key = freshKey();
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const elsewhere = { Bucket, Key: freshKey(), UploadId, PartNumber: 1, Body: "x" };
  expect((await fault(s3.send(new UploadPartCommand(elsewhere)))).name).toBe("NoSuchUpload");
  await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  expect((await fault(s3.send(new ListPartsCommand({ Bucket, Key, UploadId })))).name).toBe("NoSuchUpload");
  const again = s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  expect((await fault(again)).name).toBe("NoSuchUpload");
});

test.for(["media", "vault", "derived"])("an object is copied from media to %s", async (to) => {
  const [from, Key] = [freshKey("söurce a"), freshKey()];
  const Body = randomBytes(1000);
  const put = await s3.send(
    new PutObjectCommand({
      Bucket,
      Key: from,
      Body,
      ContentType: "text/x",
      Metadata: { a: "b" },
      Tagging: "t=1",
    }),
  );
  const CopySource = `media/${encodeURIComponent(from)}`;
  const copied = await s3.send(
    new CopyObjectCommand({ Bucket: to, Key, CopySource, CopySourceIfMatch: put.ETag }),
  );
  expect(copied.CopyObjectResult?.ETag).not.toMatch(/^"[0-9a-f]{32}"$/);
  expect((await bytesOf(Key, to)).equals(Body)).toBe(true);
  expect(await encrypted(Key, to)).toBe(true);
  const head = await s3.send(new HeadObjectCommand({ Bucket: to, Key }));
  expect(head).toMatchObject({ ContentType: "text/x", Metadata: { a: "b" } });
  const tags = await s3.send(new GetObjectTaggingCommand({ Bucket: to, Key }));
  expect(tags.TagSet).toEqual([{ Key: "t", Value: "1" }]);
  const wrong = { Bucket: to, Key, CopySource, CopySourceIfNoneMatch: put.ETag };
  expect((await fault(s3.send(new CopyObjectCommand(wrong)))).name).toBe("PreconditionFailed");
  await s3.send(
    new CopyObjectCommand({
      ...{ Bucket: to, Key, CopySource, MetadataDirective: "REPLACE", Metadata: { c: "d" } },
      ...{ TaggingDirective: "REPLACE", Tagging: "u=2" },
    }),
  );
  expect((await s3.send(new HeadObjectCommand({ Bucket: to, Key }))).Metadata).toEqual({ c: "d" });
  expect((await s3.send(new GetObjectTaggingCommand({ Bucket: to, Key }))).TagSet).toEqual([
    { Key: "u", Value: "2" },
  ]);
});

test("a part is a copy of a range", async () => {
  const [from, Key] = [freshKey(), freshKey()];
  const body = randomBytes(6 * MiB);
  await s3.send(new PutObjectCommand({ Bucket, Key: from, Body: body }));
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: "vault", Key }));
  const { CopyPartResult } = await s3.send(
    new UploadPartCopyCommand({
      ...{ Bucket: "vault", Key, UploadId, PartNumber: 1 },
      ...{ CopySource: `media/${from}`, CopySourceRange: `bytes=1-${5 * MiB}` },
    }),
  );
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: CopyPartResult?.ETag }] };
  await s3.send(new CompleteMultipartUploadCommand({ Bucket: "vault", Key, UploadId, MultipartUpload }));
  expect((await bytesOf(Key, "vault")).equals(body.subarray(1, 5 * MiB + 1))).toBe(true);
});

test("lists go page by page, with and without what is folded", async () => {
  const prefix = freshKey("");
  const names = ["a", "b/1", "b/2", "c d+ü", "e/3", "f"];
  for (const name of names) await s3.send(new PutObjectCommand({ Bucket, Key: prefix + name, Body: name }));
  const bare = (list: { Key?: string | undefined; Prefix?: string | undefined }[] = []) =>
    list.map(({ Key, Prefix }) => (Key ?? Prefix ?? "").slice(prefix.length));
  const seen = { v1: [] as string[], v2: [] as string[], all: [] as string[] };
  for (let token: string | undefined, more = true; more; ) {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket,
        Prefix: prefix,
        Delimiter: "/",
        MaxKeys: 1,
        ContinuationToken: token,
      }),
    );
    expect(page.KeyCount).toBe(1);
    seen.v2.push(...bare(page.Contents), ...bare(page.CommonPrefixes));
    token = page.NextContinuationToken;
    more = page.IsTruncated === true;
  }
  for (let marker: string | undefined, more = true; more; ) {
    const page = await s3.send(
      new ListObjectsCommand({
        Bucket,
        Prefix: prefix,
        Delimiter: "/",
        MaxKeys: 2,
        Marker: marker,
        EncodingType: "url",
      }),
    );
    seen.v1.push(...bare(page.Contents), ...bare(page.CommonPrefixes));
    marker = page.NextMarker === undefined ? undefined : decodeURIComponent(page.NextMarker);
    more = page.IsTruncated === true;
  }
  const whole = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, StartAfter: `${prefix}a` }));
  seen.all.push(...bare(whole.Contents));
  expect(seen.v2.sort()).toEqual(["a", "b/", "c d+ü", "e/", "f"]);
  expect(seen.v1.map(decodeURIComponent).sort()).toEqual(["a", "b/", "c d+ü", "e/", "f"]);
  expect(seen.all).toEqual(names.slice(1));
  expect(whole.Contents?.[0]).toMatchObject({ Size: 3, StorageClass: "STANDARD" });
  const { ETag } = await s3.send(new HeadObjectCommand({ Bucket, Key: `${prefix}f` }));
  expect(whole.Contents?.at(-1)?.ETag).toBe(ETag);
});

test("tags are put, read and removed", async () => {
  const Key = freshKey();
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  const TagSet = [{ Key: "a b", Value: "c+d" }];
  await s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
  expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual(TagSet);
  await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key }));
  expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual([]);
});

test("buckets are those that a grant opens", async () => {
  const names = async (caller: string) =>
    (await gatewayClient(caller).send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name);
  expect(await names("reader")).toEqual(["media"]);
  expect(await names("all")).toContain("vault");
  expect(await names("admin")).toEqual([]);
  await s3.send(new HeadBucketCommand({ Bucket }));
  expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
  expect((await fault(gatewayClient("reader").send(new HeadBucketCommand({ Bucket: "vault" })))).status).toBe(
    403,
  );
  expect((await fault(s3.send(new CreateBucketCommand({ Bucket })))).name).toBe("BucketAlreadyOwnedByYou");
  expect((await fault(s3.send(new CreateBucketCommand({ Bucket: "new-one" })))).name).toBe("AccessDenied");
});

test("attributes are told as a HEAD tells them", async () => {
  const Key = freshKey();
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: "hello" }));
  const ObjectAttributes = ["ETag", "ObjectSize", "StorageClass"] as const;
  const told = await s3.send(
    new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: [...ObjectAttributes] }),
  );
  expect(told).toMatchObject({ ETag: ETag?.replaceAll('"', ""), ObjectSize: 5, StorageClass: "STANDARD" });
});
