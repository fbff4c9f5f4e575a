/**
 * Cases of ceph/s3-tests, the public suite for S3 servers, under the names that they have there. It is Python and cannot
 * be installed from npm or Debian, so that what it expects is written anew here for the SDK: a choice of it, not all.
 *
 * @see https://github.com/ceph/s3-tests
 */
import { randomBytes } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { outcome, testStore } from "./started.ts";

const dev = testStore();
const MIB = 2 ** 20;

/** A bucket that holds objects named and filled by their keys. */
async function holding(...keys: string[]): Promise<string> {
  const Bucket = await dev.bucket();
  for (const Key of keys) await put(Bucket, Key, Key);
  return Bucket;
}
const put = (Bucket: string, Key: string, Body: string | Buffer = Key, more = {}) =>
  dev.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = (Bucket: string, Key: string, more = {}) =>
  dev.s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
const read = async (Bucket: string, Key: string, more = {}) =>
  Buffer.from((await (await get(Bucket, Key, more)).Body?.transformToByteArray()) ?? []);
const keysOf = (listed: { Contents?: { Key?: string | undefined }[] | undefined }) =>
  (listed.Contents ?? []).map(({ Key }) => Key);
const prefixesOf = (listed: { CommonPrefixes?: { Prefix?: string | undefined }[] | undefined }) =>
  (listed.CommonPrefixes ?? []).map(({ Prefix }) => Prefix);

interface ListCase {
  readonly keys: readonly string[];
  readonly ask?: object;
  readonly listed: readonly string[];
  readonly prefixes?: readonly string[];
  readonly isTruncated?: boolean;
}

const FOLDERS = ["foo/bar", "foo/bar/xyzzy", "quux/thud", "asdf"];
const BARS = ["bar", "baz", "cab", "foo"];
const PERCENT = ["b%ar", "b%az", "c%ab", "foo"];
const PREFIXES = ["foo/bar", "foo/baz", "quux"];

/** By their names there without `bucket_list_` or `bucket_listv2_`: both versions of the call answer alike. */
const LISTINGS: Readonly<Record<string, ListCase>> = {
  empty: { keys: [], listed: [] },
  many: { keys: ["foo", "bar", "baz"], ask: { MaxKeys: 2 }, listed: ["bar", "baz"], isTruncated: true },
  maxkeys_one: {
    keys: ["bar", "baz", "foo", "quxx"],
    ask: { MaxKeys: 1 },
    listed: ["bar"],
    isTruncated: true,
  },
  maxkeys_zero: { keys: ["bar", "baz", "foo", "quxx"], ask: { MaxKeys: 0 }, listed: [] },
  maxkeys_none: { keys: ["bar", "baz", "foo", "quxx"], listed: ["bar", "baz", "foo", "quxx"] },
  delimiter_basic: { keys: FOLDERS, ask: { Delimiter: "/" }, listed: ["asdf"], prefixes: ["foo/", "quux/"] },
  delimiter_alt: { keys: BARS, ask: { Delimiter: "a" }, listed: ["foo"], prefixes: ["ba", "ca"] },
  delimiter_percentage: { keys: PERCENT, ask: { Delimiter: "%" }, listed: ["foo"], prefixes: ["b%", "c%"] },
  delimiter_whitespace: {
    keys: ["b ar", "b az", "c ab", "foo"],
    ask: { Delimiter: " " },
    listed: ["foo"],
    prefixes: ["b ", "c "],
  },
  delimiter_dot: {
    keys: ["b.ar", "b.az", "c.ab", "foo"],
    ask: { Delimiter: "." },
    listed: ["foo"],
    prefixes: ["b.", "c."],
  },
  delimiter_unreadable: { keys: BARS, ask: { Delimiter: "\u000a" }, listed: BARS },
  delimiter_empty: { keys: BARS, ask: { Delimiter: "" }, listed: BARS },
  delimiter_none: { keys: BARS, listed: BARS },
  delimiter_not_exist: { keys: BARS, ask: { Delimiter: "/" }, listed: BARS },
  delimiter_not_skip_special: {
    keys: ["0/0", "0/1", "1999", "1999#", "1999+", "2000"],
    ask: { Delimiter: "/" },
    listed: ["1999", "1999#", "1999+", "2000"],
    prefixes: ["0/"],
  },
  delimiter_prefix_ends_with_delimiter: {
    keys: ["asdf/"],
    ask: { Prefix: "asdf/", Delimiter: "/" },
    listed: ["asdf/"],
  },
  delimiter_prefix: {
    keys: ["asdf", "boo/bar", "boo/baz/xyzzy", "cquux/thud"],
    ask: { Delimiter: "/", Prefix: "boo/" },
    listed: ["boo/bar"],
    prefixes: ["boo/baz/"],
  },
  delimiter_prefix_underscore: {
    keys: ["_obj1_", "_under1/bar", "_under1/baz/xyzzy", "_under2/thud"],
    ask: { Delimiter: "/" },
    listed: ["_obj1_"],
    prefixes: ["_under1/", "_under2/"],
  },
  prefix_basic: { keys: PREFIXES, ask: { Prefix: "foo/" }, listed: ["foo/bar", "foo/baz"] },
  prefix_alt: { keys: ["bar", "baz", "foo"], ask: { Prefix: "ba" }, listed: ["bar", "baz"] },
  prefix_empty: { keys: PREFIXES, ask: { Prefix: "" }, listed: PREFIXES },
  prefix_not_exist: { keys: PREFIXES, ask: { Prefix: "d" }, listed: [] },
  prefix_unreadable: { keys: PREFIXES, ask: { Prefix: "\u000a" }, listed: [] },
  prefix_delimiter_basic: {
    keys: ["foo/bar", "foo/baz/xyzzy", "quux/thud", "asdf"],
    ask: { Prefix: "foo/", Delimiter: "/" },
    listed: ["foo/bar"],
    prefixes: ["foo/baz/"],
  },
  prefix_delimiter_alt: {
    keys: ["bar", "bazar", "cab", "foo"],
    ask: { Prefix: "ba", Delimiter: "a" },
    listed: ["bar"],
    prefixes: ["baza"],
  },
  prefix_delimiter_prefix_not_exist: {
    keys: ["b/a/r", "b/a/c", "b/a/g", "g"],
    ask: { Prefix: "d", Delimiter: "/" },
    listed: [],
  },
  prefix_delimiter_delimiter_not_exist: {
    keys: ["b/a/c", "b/a/g", "b/a/r", "g"],
    ask: { Prefix: "b", Delimiter: "z" },
    listed: ["b/a/c", "b/a/g", "b/a/r"],
  },
  special_prefix: {
    keys: ["_bla/1", "_bla/2", "_bla/3", "_bla/4", "abcd"],
    ask: { Prefix: "_bla/" },
    listed: ["_bla/1", "_bla/2", "_bla/3", "_bla/4"],
  },
  encoding_basic: {
    keys: ["foo+1/bar", "foo/bar/xyzzy", "quux ab/thud", "asdf+b"],
    ask: { Delimiter: "/", EncodingType: "url" },
    listed: ["asdf%2Bb"],
    prefixes: ["foo%2B1/", "foo/", "quux%20ab/"],
  },
};

describe.for(Object.entries(LISTINGS))("test_bucket_list[v2]_%s", ([
  ,
  { keys, ask = {}, listed, prefixes = [], isTruncated = false },
]) => {
  test.for(["ListObjects", "ListObjectsV2"] as const)("%s", async (call) => {
    const Bucket = await holding(...keys);
    const answer =
      call === "ListObjects"
        ? await dev.s3.send(new ListObjectsCommand({ Bucket, ...ask }))
        : await dev.s3.send(new ListObjectsV2Command({ Bucket, ...ask }));
    expect([keysOf(answer), prefixesOf(answer), answer.IsTruncated]).toEqual([listed, prefixes, isTruncated]);
    if ("KeyCount" in answer) expect(answer.KeyCount).toBe(listed.length + prefixes.length);
  });
});

test.for([
  ["test_bucket_list_marker_none", undefined, ["bar", "baz", "foo", "quxx"]],
  ["test_bucket_list_marker_empty", "", ["bar", "baz", "foo", "quxx"]],
  ["test_bucket_list_marker_unreadable", "\u000a", ["bar", "baz", "foo", "quxx"]],
  ["test_bucket_list_marker_not_in_list", "blah", ["foo", "quxx"]],
  ["test_bucket_list_marker_after_list", "zzz", []],
] as const)("%s", async ([, marker, expected]) => {
  const Bucket = await holding("bar", "baz", "foo", "quxx");
  const older = await dev.s3.send(new ListObjectsCommand({ Bucket, Marker: marker }));
  const newer = await dev.s3.send(new ListObjectsV2Command({ Bucket, StartAfter: marker }));
  expect([keysOf(older), keysOf(newer)]).toEqual([expected, expected]);
});

test("test_bucket_list_delimiter_prefix, page by page", async () => {
  const Bucket = await holding("asdf", "boo/bar", "boo/baz/xyzzy", "cquux/thud", "cquux/bla");
  const pages: unknown[] = [];
  let Marker = "";
  for (;;) {
    const page = await dev.s3.send(new ListObjectsCommand({ Bucket, Delimiter: "/", MaxKeys: 1, Marker }));
    pages.push([keysOf(page), prefixesOf(page), page.NextMarker]);
    if (!page.IsTruncated) break;
    Marker = String(page.NextMarker);
  }
  expect(pages).toEqual([
    [["asdf"], [], "asdf"],
    [[], ["boo/"], "boo/"],
    [[], ["cquux/"], undefined],
  ]);
});

test("test_bucket_listv2_fetchowner_notempty, _defaultempty", async () => {
  const Bucket = await holding("foo");
  const owner = async (more: object) =>
    (await dev.s3.send(new ListObjectsV2Command({ Bucket, ...more }))).Contents?.[0]?.Owner;
  expect(await owner({ FetchOwner: true })).toBeDefined();
  expect(await owner({ FetchOwner: false })).toBeUndefined();
  expect(await owner({})).toBeUndefined();
});

test("test_bucket_listv2_both_continuationtoken_startafter", async () => {
  const Bucket = await holding("bar", "baz", "foo", "quxx");
  const first = await dev.s3.send(new ListObjectsV2Command({ Bucket, StartAfter: "bar", MaxKeys: 1 }));
  const more = { StartAfter: "bar", ContinuationToken: first.NextContinuationToken };
  const second = await dev.s3.send(new ListObjectsV2Command({ Bucket, ...more }));
  expect([keysOf(first), keysOf(second), second.StartAfter]).toEqual([["baz"], ["foo", "quxx"], "bar"]);
});

test.for([
  ["test_bucket_list_maxkeys_invalid", "max-keys=blah"],
  ["a token that is none", "list-type=2&continuation-token=blah"],
  ["an encoding that is none", "encoding-type=base64"],
])("%s", async ([, query]) => {
  const Bucket = await holding();
  expect((await dev.send({ path: `/${Bucket}?${query}` })).code).toBe("InvalidArgument");
});

test.for([
  ["test_bucket_create_naming_bad_short_two", "aa", "InvalidBucketName"],
  ["test_bucket_create_naming_bad_long", "a".repeat(64), "InvalidBucketName"],
  ["test_bucket_create_naming_bad_ip", "192.168.5.123", "InvalidBucketName"],
  ["test_bucket_create_naming_bad_starts_nonalpha", "_bucket", "InvalidBucketName"],
  ["test_bucket_create_naming_dns_dot_dot", "foo..bar", "InvalidBucketName"],
  ["test_bucket_create_naming_dns_underscore", "foo_bar", "InvalidBucketName"],
  ["test_bucket_create_naming_good_long_63", "b".repeat(63), undefined],
  ["test_bucket_create_naming_good_contains_hyphen", "aaa-111", undefined],
  ["test_bucket_create_naming_good_contains_period", "aaa.111", undefined],
] as const)("%s", async ([, name, code]) => {
  expect((await dev.send({ method: "PUT", path: `/${name}` })).code).toBe(code);
});

test("test_bucket_notexist, _delete_notexist, _delete_nonempty, _head, _get_location, buckets_list_ctime", async () => {
  const none = { Bucket: "not-there" };
  expect(await outcome(dev.s3.send(new ListObjectsV2Command(none)))).toBe("404 NoSuchBucket");
  expect(await outcome(dev.s3.send(new DeleteBucketCommand(none)))).toBe("404 NoSuchBucket");
  expect(await outcome(put("not-there", "k"))).toBe("404 NoSuchBucket");
  expect(await outcome(dev.s3.send(new HeadBucketCommand(none)))).toMatch(/^404/);
  const Bucket = await holding("foo");
  expect(await outcome(dev.s3.send(new DeleteBucketCommand({ Bucket })))).toBe("409 BucketNotEmpty");
  expect(await outcome(dev.s3.send(new CreateBucketCommand({ Bucket })))).toBe("409 BucketAlreadyOwnedByYou");
  expect((await dev.s3.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe("us-east-1");
  expect((await dev.s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
  const { Buckets } = await dev.s3.send(new ListBucketsCommand({ Prefix: Bucket, MaxBuckets: 1 }));
  expect(Buckets?.[0]?.CreationDate?.getTime()).toBeGreaterThan(Date.now() - 600_000);
});

test("test_object_write_to_nonexist_bucket, _read_not_exist, _write_check_etag, _write_read_update_read_delete", async () => {
  const Bucket = await holding();
  expect(await outcome(get(Bucket, "bar"))).toBe("404 NoSuchKey");
  expect((await put(Bucket, "foo", "bar")).ETag).toBe('"37b51d194a7513e45b56f6524f2d51f2"');
  await put(Bucket, "foo", "soup");
  expect((await read(Bucket, "foo")).toString()).toBe("soup");
  await dev.s3.send(new DeleteObjectCommand({ Bucket, Key: "foo" }));
  expect(await outcome(dev.s3.send(new DeleteObjectCommand({ Bucket, Key: "foo" })))).toBe("ok");
});

test.for([
  ["gzip, aws-chunked", "gzip"],
  ["aws-chunked, gzip", "gzip"],
  ["aws-chunked", undefined],
  ["aws-chunked, gzip, aws-chunked", "gzip"],
] as const)("test_object_content_encoding_aws_chunked: %s", async ([ContentEncoding, kept]) => {
  const Bucket = await holding();
  await put(Bucket, "k", "x", { ContentEncoding });
  expect((await dev.s3.send(new HeadObjectCommand({ Bucket, Key: "k" }))).ContentEncoding).toBe(kept);
});

test("test_object_raw_response_headers", async () => {
  const Bucket = await holding("foo");
  const more = {
    ResponseCacheControl: "no-cache",
    ResponseContentDisposition: "bla",
    ResponseContentEncoding: "aaa",
    ResponseContentLanguage: "esperanto",
    ResponseContentType: "foo/bar",
  };
  const answer = await get(Bucket, "foo", more);
  expect([
    answer.CacheControl,
    answer.ContentDisposition,
    answer.ContentEncoding,
    answer.ContentLanguage,
    answer.ContentType,
  ]).toEqual(["no-cache", "bla", "aaa", "esperanto", "foo/bar"]);
});

test.for([
  ["test_ranged_request_response_code", "bytes=4-7", "cont"],
  ["test_ranged_request_skip_leading_bytes_response_code", "bytes=4-", "content"],
  ["test_ranged_request_return_trailing_bytes_response_code", "bytes=-7", "content"],
] as const)("%s", async ([, Range, expected]) => {
  const Bucket = await holding();
  await put(Bucket, "k", "testcontent");
  expect((await read(Bucket, "k", { Range })).toString()).toBe(expected);
});

test("test_ranged_request_invalid_range, _empty_object", async () => {
  const Bucket = await holding();
  await put(Bucket, "k", "testcontent");
  await put(Bucket, "empty", "");
  expect(await outcome(get(Bucket, "k", { Range: "bytes=40-50" }))).toBe("416 InvalidRange");
  expect(await outcome(get(Bucket, "empty", { Range: "bytes=40-50" }))).toBe("416 InvalidRange");
});

describe("copies", () => {
  const copy = (Bucket: string, Key: string, from: string, more = {}) =>
    dev.s3.send(
      new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${encodeURIComponent(from)}`, ...more }),
    );

  test("test_object_copy_zero_size, _to_itself, _to_itself_with_metadata, _key_not_found, _bucket_not_found", async () => {
    const Bucket = await holding("foo");
    await put(Bucket, "zero", "");
    await copy(Bucket, "zero2", "zero");
    expect(await read(Bucket, "zero2")).toHaveLength(0);
    expect(await outcome(copy(Bucket, "foo", "foo"))).toBe("400 InvalidRequest");
    await copy(Bucket, "foo", "foo", { Metadata: { foo: "bar" }, MetadataDirective: "REPLACE" });
    expect((await dev.s3.send(new HeadObjectCommand({ Bucket, Key: "foo" }))).Metadata).toEqual({
      foo: "bar",
    });
    expect(await outcome(copy(Bucket, "to", "missing"))).toBe("404 NoSuchKey");
    expect(await outcome(copy(Bucket, "to", "x", { CopySource: "not-there/x" }))).toBe("404 NoSuchBucket");
  });

  test("test_object_copy_retaining_metadata, _replacing_metadata", async () => {
    const Bucket = await holding();
    await put(Bucket, "foo", "x", { Metadata: { key1: "value1" }, ContentType: "audio/ogg" });
    const said = async (Key: string) => {
      const { Metadata, ContentType } = await dev.s3.send(new HeadObjectCommand({ Bucket, Key }));
      return { Metadata, ContentType };
    };
    await copy(Bucket, "kept", "foo");
    expect(await said("kept")).toEqual({ Metadata: { key1: "value1" }, ContentType: "audio/ogg" });
    await copy(Bucket, "new", "foo", {
      Metadata: { key3: "value3" },
      MetadataDirective: "REPLACE",
      ContentType: "audio/mpeg",
    });
    expect(await said("new")).toEqual({ Metadata: { key3: "value3" }, ContentType: "audio/mpeg" });
  });
});

describe("multipart", () => {
  const create = async (Bucket: string, Key: string, more = {}) =>
    (await dev.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId;
  const part = async (
    Bucket: string,
    Key: string,
    UploadId: string | undefined,
    PartNumber: number,
    Body: Buffer,
  ) => ({
    PartNumber,
    ETag: (await dev.s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))).ETag,
  });
  const complete = (Bucket: string, Key: string, UploadId: string | undefined, Parts: object[]) =>
    dev.s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));

  test("test_multipart_upload_empty, _incorrect_etag, _missing_part, _size_too_small, out of order, twice", async () => {
    const Bucket = await holding();
    const id = await create(Bucket, "k");
    const [one, two] = [
      await part(Bucket, "k", id, 1, randomBytes(100)),
      await part(Bucket, "k", id, 2, randomBytes(100)),
    ];
    expect(await outcome(complete(Bucket, "k", id, []))).toBe("400 MalformedXML");
    expect(
      await outcome(complete(Bucket, "k", id, [{ PartNumber: 1, ETag: "ffffffffffffffffffffffffffffffff" }])),
    ).toBe("400 InvalidPart");
    expect(await outcome(complete(Bucket, "k", id, [{ ...one, PartNumber: 9999 }]))).toBe("400 InvalidPart");
    expect(await outcome(complete(Bucket, "k", id, [one, two]))).toBe("400 EntityTooSmall");
    expect(await outcome(complete(Bucket, "k", id, [two, one]))).toBe("400 InvalidPartOrder");
    expect(await outcome(complete(Bucket, "k", id, [one, one]))).toBe("400 InvalidPartOrder");
    expect(await outcome(get(Bucket, "k"))).toBe("404 NoSuchKey");
    const done = await complete(Bucket, "k", id, [one]);
    // A repetition of what has been done answers the same; another request than that is none.
    expect((await complete(Bucket, "k", id, [one])).ETag).toBe(done.ETag);
    expect(await outcome(complete(Bucket, "k", id, [two]))).toBe("400 InvalidPart");
    expect(await outcome(complete(Bucket, "k", "0".repeat(32), [one]))).toBe("404 NoSuchUpload");
  });

  test("test_multipart_upload_resend_part, test_multipart_upload_overwrite_existing_object, test_multipart_get_part", async () => {
    const Bucket = await holding("k");
    const id = await create(Bucket, "k", { ContentType: "text/bla", Metadata: { foo: "bar" } });
    const bodies = [randomBytes(5 * MIB), randomBytes(1000)];
    await part(Bucket, "k", id, 2, randomBytes(10));
    const first = await part(Bucket, "k", id, 2, bodies[0] as Buffer);
    const second = await part(Bucket, "k", id, 7, bodies[1] as Buffer);
    await complete(Bucket, "k", id, [first, second]);
    expect((await read(Bucket, "k")).equals(Buffer.concat(bodies))).toBe(true);
    const got = await get(Bucket, "k", { PartNumber: 7 });
    expect([got.PartsCount, got.ContentRange, got.ContentType, got.Metadata]).toEqual([
      2,
      `bytes ${5 * MIB}-${5 * MIB + 999}/${5 * MIB + 1000}`,
      "text/bla",
      { foo: "bar" },
    ]);
    expect((await got.Body?.transformToByteArray())?.length).toBe(1000);
    expect(await outcome(get(Bucket, "k", { PartNumber: 1 }))).toMatch(/^416/);
  });

  test("test_abort_multipart_upload, _not_found", async () => {
    const Bucket = await holding();
    const id = await create(Bucket, "k");
    await part(Bucket, "k", id, 1, randomBytes(10));
    const abort = { Bucket, Key: "k", UploadId: id };
    await dev.s3.send(new AbortMultipartUploadCommand(abort));
    expect(await outcome(dev.s3.send(new AbortMultipartUploadCommand(abort)))).toBe("404 NoSuchUpload");
    expect(await outcome(dev.s3.send(new ListPartsCommand(abort)))).toBe("404 NoSuchUpload");
    expect(await outcome(part(Bucket, "k", id, 1, randomBytes(10)))).toBe("404 NoSuchUpload");
  });

  test("test_multipart_copy_small, _invalid_range, _improper_range", async () => {
    const Bucket = await holding("source");
    const id = await create(Bucket, "k");
    const copy = (CopySourceRange?: string) =>
      dev.s3.send(
        new UploadPartCopyCommand({
          Bucket,
          Key: "k",
          UploadId: id,
          PartNumber: 1,
          CopySource: `${Bucket}/source`,
          CopySourceRange,
        }),
      );
    for (const range of [
      "0-2",
      "bytes=0",
      "bytes=hello-world",
      "bytes=0-bar",
      "bytes=0-2,3-5",
      "bytes=3-1",
      "bytes=0-21",
    ])
      expect(await outcome(copy(range)), range).toBe("400 InvalidArgument");
    const { CopyPartResult } = await copy("bytes=0-2");
    await complete(Bucket, "k", id, [{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);
    expect((await read(Bucket, "k")).toString()).toBe("sou");
  });

  test("test_list_multipart_upload, page by page, and its parts", async () => {
    const Bucket = await holding();
    const made: [string, string | undefined][] = [];
    for (const Key of ["mymultipart", "mymultipart", "other/1", "other/2", "z"])
      made.push([Key, await create(Bucket, Key)]);
    const seen: [string | undefined, string | undefined][] = [];
    let markers = {};
    for (;;) {
      const page = await dev.s3.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 2, ...markers }));
      seen.push(
        ...(page.Uploads ?? []).map(({ Key, UploadId }): [string | undefined, string | undefined] => [
          Key,
          UploadId,
        ]),
      );
      if (!page.IsTruncated) break;
      markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
    expect(seen).toEqual(made);
    const folded = await dev.s3.send(
      new ListMultipartUploadsCommand({ Bucket, Delimiter: "/", Prefix: "o" }),
    );
    expect([folded.Uploads, folded.CommonPrefixes]).toEqual([undefined, [{ Prefix: "other/" }]]);

    const [Key, UploadId] = made[0] as [string, string];
    for (const number of [1, 2, 5, 9, 10_000]) await part(Bucket, Key, UploadId, number, randomBytes(number));
    const numbers: (number | undefined)[] = [];
    let PartNumberMarker: string | undefined;
    for (;;) {
      const page = await dev.s3.send(
        new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2, PartNumberMarker }),
      );
      numbers.push(...(page.Parts ?? []).map(({ PartNumber }) => PartNumber));
      if (!page.IsTruncated) break;
      PartNumberMarker = page.NextPartNumberMarker;
    }
    expect(numbers).toEqual([1, 2, 5, 9, 10_000]);
    expect(await outcome(part(Bucket, Key, UploadId, 10_001, randomBytes(1)))).toBe("400 InvalidArgument");
  });
});

test.for([
  ["test_put_max_tags", 10, 1, 1, "ok"],
  ["test_put_excess_tags", 11, 1, 1, "400 BadRequest"],
  ["test_put_max_kvsize_tags", 10, 128, 256, "ok"],
  ["test_put_excess_key_tags", 1, 129, 1, "400 InvalidTag"],
  ["test_put_excess_val_tags", 1, 1, 257, "400 InvalidTag"],
] as const)("%s", async ([, count, keySize, valueSize, expected]) => {
  const Bucket = await holding("k");
  const TagSet = Array.from({ length: count }, (_, i) => ({
    Key: String(i).padStart(keySize, "k"),
    Value: "v".repeat(valueSize),
  }));
  expect(
    await outcome(dev.s3.send(new PutObjectTaggingCommand({ Bucket, Key: "k", Tagging: { TagSet } }))),
  ).toBe(expected);
});
