/** Versions, delete markers, tags, locks: what stays of an object, and what may go. */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { outcome, testStore } from "./started.ts";

let ahead = 0;
const dev = testStore(() => Date.now() + ahead);
const DAY = 86_400_000;

async function versioned(Status: "Enabled" | "Suspended" = "Enabled"): Promise<string> {
  const Bucket = await dev.bucket();
  await setVersioning(Bucket, Status);
  return Bucket;
}
const setVersioning = (Bucket: string, Status: "Enabled" | "Suspended") =>
  dev.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
const put = (Bucket: string, Key: string, Body: string, more = {}) =>
  dev.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const read = async (Bucket: string, Key: string, VersionId?: string) =>
  (await dev.s3.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();
const remove = (Bucket: string, Key: string, VersionId?: string, more = {}) =>
  dev.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId, ...more }));
const list = async (Bucket: string, more = {}) =>
  dev.s3.send(new ListObjectVersionsCommand({ Bucket, ...more }));

describe("versions", () => {
  test("stay when an object is replaced or deleted, and go one by one", async () => {
    const Bucket = await versioned();
    const [one, two] = [await put(Bucket, "k", "one"), await put(Bucket, "k", "two")];
    expect(one.VersionId).toMatch(/^[\w-]{32}$/);
    expect(await read(Bucket, "k")).toBe("two");
    expect(await read(Bucket, "k", one.VersionId)).toBe("one");

    const marker = await remove(Bucket, "k");
    expect(marker.DeleteMarker).toBe(true);
    const gone = await dev.send({ path: `/${Bucket}/k` });
    expect([gone.code, gone.headers["x-amz-delete-marker"], gone.headers["x-amz-version-id"]]).toEqual([
      "NoSuchKey",
      "true",
      marker.VersionId,
    ]);
    const itself = await dev.send({ path: `/${Bucket}/k?versionId=${marker.VersionId}` });
    expect([itself.code, itself.headers.allow]).toEqual(["MethodNotAllowed", "DELETE"]);
    expect((await dev.s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    const { Versions, DeleteMarkers } = await list(Bucket);
    expect(Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
      [two.VersionId, false],
      [one.VersionId, false],
    ]);
    expect(DeleteMarkers).toMatchObject([{ VersionId: marker.VersionId, IsLatest: true }]);

    expect((await remove(Bucket, "k", marker.VersionId)).DeleteMarker).toBe(true);
    expect(await read(Bucket, "k")).toBe("two");
    await remove(Bucket, "k", two.VersionId);
    expect(await read(Bucket, "k")).toBe("one");
    await dev.s3.send(
      new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/k?versionId=${one.VersionId}` }),
    );
    expect(await read(Bucket, "copy")).toBe("one");
  });

  test("the null version is what there was before, and what a suspended bucket writes", async () => {
    const Bucket = await dev.bucket();
    expect((await put(Bucket, "k", "before")).VersionId).toBeUndefined();
    expect((await dev.s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
    await setVersioning(Bucket, "Enabled");
    const { VersionId } = await put(Bucket, "k", "kept");
    expect(await read(Bucket, "k", "null")).toBe("before");
    await setVersioning(Bucket, "Suspended");
    await put(Bucket, "k", "null again");
    expect(await read(Bucket, "k")).toBe("null again");
    expect((await list(Bucket)).Versions?.map((version) => version.VersionId)).toEqual(["null", VersionId]);
    expect((await remove(Bucket, "k")).VersionId).toBe("null");
    expect(await read(Bucket, "k", VersionId)).toBe("kept");
    expect(await outcome(read(Bucket, "k", "null"))).toMatch(/^405/);
  });

  test.for([
    ["GET", "other", 400, "InvalidArgument"],
    ["GET", "A".repeat(32), 404, "NoSuchVersion"],
    ["DELETE", "other", 400, "InvalidArgument"],
    ["DELETE", "A".repeat(32), 204, undefined],
    ["PUT", "A".repeat(32), 400, "InvalidArgument"],
  ] as const)("%s of a version %s that is none: %s", async ([method, version, status, code]) => {
    const Bucket = await versioned();
    await put(Bucket, "k", "x");
    const answer = await dev.send({
      method,
      path: `/${Bucket}/k?versionId=${version}`,
      ...(method === "PUT" && { body: "x" }),
    });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(await read(Bucket, "k")).toBe("x");
  });

  test("a listing goes on where it stopped, also when what it stopped at has gone", async () => {
    const Bucket = await versioned();
    const made: string[] = [];
    for (const Key of ["a", "a", "a", "b/1", "b/2", "c", "c"])
      made.push(`${Key} ${(await put(Bucket, Key, "x")).VersionId}`);
    const seen: string[] = [];
    let markers = {};
    for (;;) {
      const page = await list(Bucket, { MaxKeys: 2, ...markers });
      for (const { Key, VersionId } of page.Versions ?? []) {
        seen.push(`${Key} ${VersionId}`);
        await remove(Bucket, String(Key), VersionId);
      }
      if (!page.IsTruncated) break;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    expect(seen.sort()).toEqual(made.sort());
    for (const Key of ["a", "b/1", "b/2", "c"]) await put(Bucket, Key, "x");
    const folded = await list(Bucket, { Delimiter: "/", MaxKeys: 2 });
    expect([folded.Versions?.map(({ Key }) => Key), folded.CommonPrefixes]).toEqual([
      ["a"],
      [{ Prefix: "b/" }],
    ]);
    const rest = await list(Bucket, { Delimiter: "/", KeyMarker: folded.NextKeyMarker });
    expect([rest.Versions?.map(({ Key }) => Key), rest.CommonPrefixes]).toEqual([["c"], undefined]);
  });
});

describe("DeleteObjects", () => {
  test("deletes a thousand, says which, and why not", async () => {
    const Bucket = await dev.bucket();
    const keys = ["a", "b \"&<>'", "c\u0085\u2028", "tab\tand\rreturn"];
    for (const Key of keys) await put(Bucket, Key, "x");
    const { ETag } = await put(Bucket, "kept", "x");
    const more = Array.from({ length: 995 }, (_, i) => ({ Key: `none-${i}` }));
    const Objects = [...keys.map((Key) => ({ Key })), { Key: "kept", ETag: '"other"' }, ...more];
    const send = (objects: { Key: string }[], Quiet = false) =>
      dev.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: objects, Quiet } }));
    const { Deleted, Errors } = await send(Objects);
    expect(Deleted).toHaveLength(999);
    expect(Deleted?.slice(0, 4).map(({ Key }) => Key)).toEqual(keys);
    expect(Errors).toMatchObject([{ Key: "kept", Code: "PreconditionFailed" }]);
    const { Contents } = await dev.s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(["kept"]);
    expect(await outcome(send([...Objects, { Key: "one too many" }]))).toBe("400 MalformedXML");
    const quiet = await send([{ Key: "kept", ETag } as { Key: string }], true);
    expect([quiet.Deleted, quiet.Errors]).toEqual([undefined, undefined]);
    expect(await outcome(read(Bucket, "kept"))).toMatch(/^404/);
  });

  test("needs something to hold its document against", async () => {
    const Bucket = await dev.bucket();
    const answer = await dev.send({
      method: "POST",
      path: `/${Bucket}?delete=`,
      body: "<Delete><Object><Key>a</Key></Object></Delete>",
    });
    expect([answer.status, answer.code]).toEqual([400, "InvalidRequest"]);
  });

  test("by version, and with markers where there are versions", async () => {
    const Bucket = await versioned();
    const { VersionId } = await put(Bucket, "k", "x");
    const send = (object: object) =>
      dev.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "k", ...object }] } }));
    const { Deleted } = await send({});
    expect(Deleted).toMatchObject([{ Key: "k", DeleteMarker: true }]);
    await send({ VersionId: Deleted?.[0]?.DeleteMarkerVersionId });
    expect(await read(Bucket, "k")).toBe("x");
    await send({ VersionId });
    expect((await list(Bucket)).Versions).toBeUndefined();
  });
});

test("tags are put, counted, copied, replaced and taken off, version by version", async () => {
  const Bucket = await versioned();
  const { VersionId } = await put(Bucket, "k", "x", { Tagging: "a=1&b%20c=%C3%BC%2F2" });
  const tagsOf = async (Key: string, version?: string) => {
    const { TagSet } = await dev.s3.send(new GetObjectTaggingCommand({ Bucket, Key, VersionId: version }));
    return Object.fromEntries((TagSet ?? []).map((tag) => [tag.Key, tag.Value]));
  };
  expect(await tagsOf("k")).toEqual({ a: "1", "b c": "ü/2" });
  expect((await dev.s3.send(new HeadObjectCommand({ Bucket, Key: "k" }))).TagCount).toBe(2);
  const copy = (Key: string, more = {}) =>
    dev.s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/k`, ...more }));
  await copy("same");
  expect(await tagsOf("same")).toEqual({ a: "1", "b c": "ü/2" });
  await copy("other", { TaggingDirective: "REPLACE", Tagging: "d=" });
  expect(await tagsOf("other")).toEqual({ d: "" });
  await put(Bucket, "k", "newer");
  await dev.s3.send(
    new PutObjectTaggingCommand({
      Bucket,
      Key: "k",
      VersionId,
      Tagging: { TagSet: [{ Key: "e", Value: "f" }] },
    }),
  );
  expect([await tagsOf("k"), await tagsOf("k", VersionId)]).toEqual([{}, { e: "f" }]);
  await dev.s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: "k", VersionId }));
  expect(await tagsOf("k", VersionId)).toEqual({});
});

describe("object lock", () => {
  const lockable = () => dev.bucket({ ObjectLockEnabledForBucket: true });
  const until = (days: number) => new Date(Date.now() + days * DAY);
  const locked = (mode: "GOVERNANCE" | "COMPLIANCE", days = 2) => ({
    ObjectLockMode: mode,
    ObjectLockRetainUntilDate: until(days),
    ChecksumAlgorithm: "CRC32",
  });

  test("holds a version until its time, and what may be bypassed is bypassed by who says so", async () => {
    const Bucket = await lockable();
    const { VersionId } = await put(Bucket, "k", "x", locked("GOVERNANCE"));
    const head = await dev.s3.send(new HeadObjectCommand({ Bucket, Key: "k" }));
    expect([head.ObjectLockMode, head.ObjectLockRetainUntilDate?.getTime()]).toEqual([
      "GOVERNANCE",
      expect.any(Number),
    ]);
    expect(await outcome(remove(Bucket, "k", VersionId))).toBe("403 AccessDenied");
    expect((await remove(Bucket, "k")).DeleteMarker).toBe(true);
    const shorten = (more = {}) =>
      dev.s3.send(
        new PutObjectRetentionCommand({
          Bucket,
          Key: "k",
          VersionId,
          Retention: { Mode: "GOVERNANCE", RetainUntilDate: until(1) },
          ...more,
        }),
      );
    expect(await outcome(shorten())).toBe("403 AccessDenied");
    expect(await outcome(shorten({ BypassGovernanceRetention: true }))).toBe("ok");
    expect(await outcome(remove(Bucket, "k", VersionId, { BypassGovernanceRetention: true }))).toBe("ok");

    const strict = await put(Bucket, "strict", "x", locked("COMPLIANCE"));
    const bypass = { BypassGovernanceRetention: true };
    expect(await outcome(remove(Bucket, "strict", strict.VersionId, bypass))).toBe("403 AccessDenied");
    // When its time has come it goes; aws4 signs with this machine's clock, so the store's may differ by minutes alone.
    const short = await put(Bucket, "short", "x", {
      ...locked("COMPLIANCE"),
      ObjectLockRetainUntilDate: new Date(Date.now() + 600_000),
    });
    expect(await outcome(remove(Bucket, "short", short.VersionId))).toBe("403 AccessDenied");
    ahead = 601_000;
    const late = await dev.send({ method: "DELETE", path: `/${Bucket}/short?versionId=${short.VersionId}` });
    ahead = 0;
    expect(late.status).toBe(204);
  });

  test("a legal hold holds whatever the time", async () => {
    const Bucket = await lockable();
    const { VersionId } = await put(Bucket, "k", "x", {
      ObjectLockLegalHoldStatus: "ON",
      ChecksumAlgorithm: "CRC32",
    });
    const bypass = { BypassGovernanceRetention: true };
    expect(await outcome(remove(Bucket, "k", VersionId, bypass))).toBe("403 AccessDenied");
    expect((await dev.s3.send(new GetObjectLegalHoldCommand({ Bucket, Key: "k" }))).LegalHold?.Status).toBe(
      "ON",
    );
    await dev.s3.send(new PutObjectLegalHoldCommand({ Bucket, Key: "k", LegalHold: { Status: "OFF" } }));
    expect(await outcome(remove(Bucket, "k", VersionId))).toBe("ok");
  });

  test("a bucket's own is given to what asks for none", async () => {
    const Bucket = await lockable();
    await dev.s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: "Enabled",
          Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: 3 } },
        },
      }),
    );
    const { ObjectLockConfiguration } = await dev.s3.send(new GetObjectLockConfigurationCommand({ Bucket }));
    expect(ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: "GOVERNANCE", Days: 3 });
    const { VersionId } = await put(Bucket, "k", "x");
    const { Retention } = await dev.s3.send(new GetObjectRetentionCommand({ Bucket, Key: "k", VersionId }));
    expect(Retention?.Mode).toBe("GOVERNANCE");
    expect(await outcome(remove(Bucket, "k", VersionId))).toBe("403 AccessDenied");
    expect(await outcome(setVersioning(Bucket, "Suspended"))).toBe("409 InvalidBucketState");
  });

  test.for([
    ["a bucket without it", locked("GOVERNANCE"), false, "400 InvalidRequest"],
    [
      "a mode without a date",
      { ObjectLockMode: "GOVERNANCE", ChecksumAlgorithm: "CRC32" },
      true,
      "400 InvalidArgument",
    ],
    [
      "a date without a mode",
      { ObjectLockRetainUntilDate: new Date(Date.now() + DAY), ChecksumAlgorithm: "CRC32" },
      true,
      "400 InvalidArgument",
    ],
    ["a date that is past", locked("GOVERNANCE", -1), true, "400 InvalidArgument"],
    [
      "a mode that there is not",
      { ...locked("GOVERNANCE"), ObjectLockMode: "FOREVER" },
      true,
      "400 InvalidArgument",
    ],
    [
      "a hold that there is not",
      { ObjectLockLegalHoldStatus: "MAYBE", ChecksumAlgorithm: "CRC32" },
      true,
      "400 InvalidArgument",
    ],
  ] as const)("%s is refused", async ([, more, isLockable, expected]) => {
    const Bucket = isLockable ? await lockable() : await dev.bucket();
    expect(await outcome(put(Bucket, "k", "x", more))).toBe(expected);
    expect(await outcome(read(Bucket, "k"))).toMatch(/^404/);
  });

  test("a locked body must be held against something", async () => {
    const Bucket = await lockable();
    const headers = { "x-amz-object-lock-legal-hold": "ON" };
    expect((await dev.send({ method: "PUT", path: `/${Bucket}/k`, body: "x", headers })).code).toBe(
      "InvalidRequest",
    );
  });
});
