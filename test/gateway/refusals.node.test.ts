/** What the gateway refuses: by grant, by header, by subresource, by document. Nothing that means something is ignored. */
import { randomBytes } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, test } from "vitest";
import { api, freshKey, put } from "../support/client.ts";
import { exchange } from "../support/exchange.ts";
import { testSampled } from "../support/sampled.ts";
import { codeIn, fault, gatewayClient, raw, signed } from "./client.ts";

const Bucket = "media";
const s3 = gatewayClient();
const limited = gatewayClient("limited");
const image = (Key: string, Body: string | Buffer = "x") =>
  new PutObjectCommand({ Bucket, Key, Body, ContentType: "image/png" });

describe("a grant", () => {
  test.for([
    ["another prefix", () => image("other/x"), "AccessDenied"],
    [
      "another bucket",
      () => new PutObjectCommand({ Bucket: "vault", Key: "acme/x", Body: "x" }),
      "AccessDenied",
    ],
    [
      "no bucket at all",
      () => new PutObjectCommand({ Bucket: "nowhere", Key: "acme/x", Body: "x" }),
      "AccessDenied",
    ],
    ["too many bytes", () => image(`acme/${freshKey()}`, Buffer.alloc(1001)), "EntityTooLarge"],
    [
      "another type",
      () => new PutObjectCommand({ Bucket, Key: "acme/x", Body: "x", ContentType: "text/x" }),
      "AccessDenied",
    ],
    ["a list elsewhere", () => new ListObjectsV2Command({ Bucket, Prefix: "other/" }), "AccessDenied"],
  ] as const)("does not open %s", async ([, command, name]) => {
    expect((await fault(limited.send(command() as PutObjectCommand))).name).toBe(name);
  });

  test("holds for the sum of all parts", async () => {
    const Key = `acme/${freshKey()}`;
    const { UploadId } = await limited.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ContentType: "image/png" }),
    );
    const Parts = [];
    for (const PartNumber of [1, 2]) {
      const part = { Bucket, Key, UploadId, PartNumber, Body: Buffer.alloc(600) };
      Parts.push({ PartNumber, ETag: (await limited.send(new UploadPartCommand(part))).ETag });
    }
    const whole = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
    expect((await fault(limited.send(new CompleteMultipartUploadCommand(whole)))).name).toBe(
      "EntityTooLarge",
    );
  });

  test("is told of each object that is to be deleted", async () => {
    const Objects = [{ Key: "acme/x" }, { Key: "other/x" }];
    const { Errors } = await limited.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Errors?.map(({ Code }) => Code)).toEqual(["AccessDenied", "AccessDenied"]);
  });

  test("shows what it opens of a list, and nothing else", async () => {
    const Key = `acme/${freshKey("deep/object")}`;
    await limited.send(image(Key));
    await s3.send(image(freshKey()));
    const all = await limited.send(new ListObjectsV2Command({ Bucket }));
    expect(all.Contents?.every((one) => one.Key?.startsWith("acme/"))).toBe(true);
    expect(all.Contents?.map((one) => one.Key)).toContain(Key);
    const folded = await limited.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
    expect(folded.CommonPrefixes).toEqual([{ Prefix: "acme/" }]);
    expect(folded.Contents ?? []).toEqual([]);
    const within = await limited.send(new ListObjectsV2Command({ Bucket, Prefix: "ac", Delimiter: "/" }));
    expect(within.CommonPrefixes).toEqual([{ Prefix: "acme/" }]);
  });

  test("lets no presigned URL live longer than it says", async () => {
    const Key = `acme/${freshKey()}`;
    await limited.send(image(Key));
    const url = (expiresIn: number) =>
      getSignedUrl(limited, new GetObjectCommand({ Bucket, Key }), { expiresIn });
    expect((await fetch(await url(60))).status).toBe(200);
    const late = await fetch(await url(61));
    expect([late.status, await late.text()]).toEqual([
      403,
      expect.stringContaining("<Code>AccessDenied</Code>"),
    ]);
  });
});

describe("a header that means something", () => {
  test.for([
    [{ ACL: "public-read" }, "NotImplemented"],
    [{ GrantRead: "id=1" }, "NotImplemented"],
    [{ ServerSideEncryption: "AES256" }, "NotImplemented"],
    [{ ExpectedBucketOwner: "1" }, "NotImplemented"],
    [{ RequestPayer: "requester" }, "NotImplemented"],
    [{ WriteOffsetBytes: 5 }, "NotImplemented"],
    [
      { SSECustomerAlgorithm: "AES256", SSECustomerKey: randomBytes(32).toString("base64") },
      "InvalidRequest",
    ],
    [{ ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" }, "BadDigest"],
    [{ ChecksumSHA256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }, "BadDigest"],
    [{ Tagging: "a=1&a=2" }, "InvalidArgument"],
  ] as const)("is not ignored: %o", async ([more, name]) => {
    const Key = freshKey();
    expect(
      (await fault(s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...(more as object) })))).name,
    ).toBe(name);
    expect((await fault(s3.send(new HeadObjectCommand({ Bucket, Key })))).status).toBe(404);
  });

  test("is carried out where it can be", async () => {
    const Key = freshKey();
    const WebsiteRedirectLocation = "/elsewhere";
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ACL: "private", WebsiteRedirectLocation }));
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({ WebsiteRedirectLocation });
  });
});

/** What there is, by method and parameter; all the rest of what S3 has is refused. */
const THERE = {
  bucket: ["GET location", "GET uploads", "POST delete"],
  object: [
    ...["GET tagging", "PUT tagging", "DELETE tagging", "GET attributes", "POST uploads"],
    ...["GET uploadId", "POST uploadId", "DELETE uploadId", "PUT uploadId"],
  ],
};
/** Every parameter that makes another operation of a request, by S3's reference, and one that is none. */
const SUBRESOURCES = [
  ...["abac", "accelerate", "acl", "analytics", "append", "attributes", "cors", "delete", "encryption"],
  ...["intelligent-tiering", "inventory", "legal-hold", "lifecycle", "location", "logging"],
  ...["metadataConfiguration", "metadataInventoryTable", "metadataJournalTable", "metadataTable", "metrics"],
  ...["notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock"],
  ...["renameObject", "replication", "requestPayment", "restore", "retention", "select", "session"],
  ...["tagging", "torrent", "uploadId", "uploads", "versioning", "versions", "website", "no-such-thing"],
];
const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"] as const;

testSampled(METHODS, 5, "%s with what there is not is not implemented", async (method) => {
  for (const of of ["bucket", "object"] as const)
    for (const name of SUBRESOURCES.filter((one) => !THERE[of].includes(`${method} ${one}`))) {
      const path = `/s3/media${of === "object" ? `/${freshKey()}` : ""}?${name}=`;
      const answer = await raw({ method, path });
      const code = method === "HEAD" ? "NotImplemented" : codeIn(answer);
      expect([path, answer.status, code]).toEqual([path, 501, "NotImplemented"]);
    }
});

test("a browser's form is not implemented, whoever has signed it", async () => {
  const form = new FormData();
  for (const [name, value] of [
    ...[["key", freshKey()] as const, ["policy", "e30="] as const, ["x-amz-signature", "0"] as const],
    ["file", "x"] as const,
  ])
    form.append(name, value);
  const answer = await fetch(`${api}/s3/media`, { method: "POST", body: form });
  expect([answer.status, await answer.text()]).toEqual([
    501,
    expect.stringContaining("<Code>NotImplemented</Code>"),
  ]);
  const headers = { "content-type": "multipart/form-data; boundary=x" };
  const signed = await raw({ method: "POST", path: "/s3/media", headers, body: "--x--" });
  expect([signed.status, codeIn(signed)]).toEqual([501, "NotImplemented"]);
});

test("who is refused before their body is taken is told why", async () => {
  const answer = await fetch(`${api}/s3/media/${freshKey()}`, {
    method: "PUT",
    body: randomBytes(9 * 2 ** 20),
  });
  expect([answer.status, await answer.text()]).toEqual([
    403,
    expect.stringContaining("the request is not signed"),
  ]);
});

test.for([
  ...["acl", "copy-source", "storage-class", "meta-x", "tagging", "checksum-crc32", "no-such-thing"],
  "server-side-encryption-customer-key",
])("x-amz-%s that is not signed is refused", async (name) => {
  for (const [method, key] of [
    ["PUT", freshKey()],
    ["POST", `${freshKey()}?uploads=`],
  ] as const) {
    const path = `/s3/media/${key}`;
    const { hostname, port } = new URL(api);
    const headers = { ...signed({ method, path }), [`x-amz-${name}`]: "x" };
    const answer = await exchange({ hostname, port, method, path, headers });
    expect([answer.status, codeIn(answer)]).toEqual([403, "AccessDenied"]);
  }
});

describe("a document", () => {
  const deletion = (body: string) => raw({ method: "POST", path: "/s3/media?delete=", body });
  const object = "<Object><Key>x</Key></Object>";
  test.for([
    ["more than a thousand objects", `<Delete>${object.repeat(1001)}</Delete>`],
    ["10,000 objects", `<Delete>${object.repeat(10_000)}</Delete>`],
    ["no object", "<Delete></Delete>"],
    ["another root", `<Remove>${object}</Remove>`],
    ["no XML", "{}"],
    ["half of it", `<Delete>${object}`],
    [
      "entities of its own",
      `<!DOCTYPE d [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>`,
    ],
    // Taken for its own text, it would be the name of another object.
    ["an entity that there is not", "<Delete><Object><Key>a&nbsp;b</Key></Object></Delete>"],
    ["a reference to no character", "<Delete><Object><Key>&#x110000;</Key></Object></Delete>"],
    ["elements within elements", `<Delete>${"<a>".repeat(20_000)}${"</a>".repeat(20_000)}</Delete>`],
    ["more than 2 MiB", `<Delete>${" ".repeat(2 * 2 ** 20)}${object}</Delete>`],
  ])("with %s is refused", async ([, body = ""]) => {
    const answer = await deletion(body);
    expect([answer.status, codeIn(answer)]).toEqual([400, "MalformedXML"]);
  });

  test("has its names as XML writes them", async () => {
    const names = [
      "a&amp;nbsp;b",
      "<![CDATA[a&nbsp;b]]>",
      "&#97;&#x26;nbsp;b",
      "a<!-- &nbsp; -->&#38;nbsp;b",
    ];
    const answer = await deletion(
      `<Delete>${names.map((name) => `<Object><Key>${name}</Key></Object>`).join("")}</Delete>`,
    );
    expect(answer.body.toString().match(/<Key>.*?<\/Key>/g)).toEqual(
      names.map(() => "<Key>a&#38;nbsp;b</Key>"),
    );
  });
});

test.for([
  ["x".repeat(1025), 400, "KeyTooLongError"],
  ["a%00b", 400, "InvalidURI"],
])("a key like %.10s is refused", async ([key, status, code]) => {
  const answer = await raw({ method: "GET", path: `/s3/media/${key}` });
  expect([answer.status, codeIn(answer)]).toEqual([status, code]);
});

test.for([
  "a//b",
  "/a",
  "a/",
  "a ",
  "a%2Fb",
  "+a+",
  "é/ü",
  "a?b#c",
])("a key like %s stays as it is", async (name) => {
  const Key = `${freshKey("")}${name}`;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: name }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  expect(await Body?.transformToString()).toBe(name);
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
  expect(Contents?.map((one) => one.Key)).toEqual([Key]);
});

test("an upload goes on under the key that it was begun under", async () => {
  const Key = freshKey();
  // The same place, before and after a newer key stands first.
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: "media-old", Key }));
  const upload = { Bucket, Key, UploadId };
  const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "hello" }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  // An id that was changed is that of no upload.
  const forged = `${UploadId?.slice(0, -1)}${UploadId?.endsWith("A") ? "B" : "A"}`;
  expect(
    (await fault(s3.send(new UploadPartCommand({ ...upload, UploadId: forged, PartNumber: 1, Body: "x" }))))
      .name,
  ).toBe("NoSuchUpload");
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "media-old", Key }));
  expect(await Body?.transformToString()).toBe("hello");
});

test("an object that is under another key, or none of ours, is told so", async () => {
  const Key = freshKey();
  await put("media-old", Key, "old");
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  expect(await Body?.transformToString()).toBe("old");
  expect((await fault(s3.send(new GetObjectCommand({ Bucket: "media-lost", Key })))).status).toBe(403);
  expect((await fault(s3.send(new PutObjectCommand({ Bucket: "read-only", Key, Body: "x" })))).name).toBe(
    "InvalidBucketState",
  );
});
