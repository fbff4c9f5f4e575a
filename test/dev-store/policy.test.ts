/** The development store evaluates bucket policies as AWS does, and refuses those that it could not. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
  type S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunningStore, startStore } from "../../src/dev-store/index.ts";
import { customerKey } from "../../src/keys/customer-key.ts";
import { customerKeyHeaders } from "../../src/keys/headers.ts";
import { presignForm } from "../../src/s3/sign/post-policy.ts";
import { s3Client, sourceTriple, triple } from "../support/s3.ts";

const credentials = { accessKeyId: "test", secretAccessKey: randomBytes(20).toString("hex") };
const Bucket = "policed";
const ALGORITHM = "s3:x-amz-server-side-encryption-customer-algorithm";
const KEY_MD5 = "s3:x-amz-server-side-encryption-customer-key-MD5";
const data = mkdtempSync(join(tmpdir(), "ssec-policy-test-"));
let store: RunningStore;
let s3: S3Client;

beforeAll(async () => {
  store = await startStore({ data, credentials });
  s3 = s3Client({ url: store.url, ...credentials }, { maxAttempts: 1 });
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  s3.destroy();
  await store.close();
  rmSync(data, { recursive: true });
});
beforeEach(async () => void (await s3.send(new DeleteBucketPolicyCommand({ Bucket }))));

/** What came of it: "ok", or S3's code. */
function outcome(sent: Promise<unknown>): Promise<string> {
  return sent.then(
    () => "ok",
    (error: S3ServiceException) => error.name,
  );
}

const put = (Key: string, more: object = {}) =>
  outcome(s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...more })));

const setPolicy = (...Statement: object[]) =>
  s3.send(
    new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }),
  );

/** A Deny of every PutObject, but for what a test says otherwise. */
const deny = (more: object = {}) => ({
  Effect: "Deny",
  Principal: "*",
  Action: "s3:PutObject",
  Resource: `arn:aws:s3:::${Bucket}/*`,
  ...more,
});

/** As AWS publishes it. */
const REQUIRE = deny({ Sid: "RequireSSECObjectUploads", Condition: { Null: { [ALGORITHM]: "true" } } });

describe("a policy that requires SSE-C", () => {
  test("holds for PutObject and CopyObject, and leaves reading alone", async () => {
    const key = triple();
    await put("plain");
    await setPolicy(REQUIRE);
    expect(await put("k")).toBe("AccessDenied");
    expect(await put("k", key)).toBe("ok");
    const copy = (more: object) =>
      outcome(s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/k`, ...more })));
    expect(await copy(sourceTriple(key))).toBe("AccessDenied");
    expect(await copy({ ...sourceTriple(key), ...triple() })).toBe("ok");
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket, Key: "plain" })))).toBe("ok");
  });

  test("holds for every call of a multipart upload that can carry the headers", async () => {
    const [Key, key] = ["parts", triple()];
    await setPolicy(REQUIRE);
    const create = (more: object) => s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
    expect(await outcome(create({}))).toBe("AccessDenied");
    const { UploadId } = await create(key);
    const part = (more: object) =>
      s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: "x", ...more }));
    expect(await outcome(part({}))).toBe("AccessDenied");
    const { ETag } = await part(key);
    await put("source", key);
    const CopySource = `${Bucket}/source`;
    const partCopy = (more: object) =>
      outcome(
        s3.send(new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber: 2, CopySource, ...more })),
      );
    expect(await partCopy(sourceTriple(key))).toBe("AccessDenied");
    expect(await partCopy({ ...sourceTriple(key), ...key })).toBe("ok");
    expect(await outcome(s3.send(new ListPartsCommand({ Bucket, Key, UploadId })))).toBe("ok");
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const complete = (more: object) =>
      outcome(
        s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, ...more })),
      );
    // AWS: "you must include the header in all multipart upload requests", this one among them.
    expect(await complete({})).toBe("AccessDenied");
    expect(await complete(key)).toBe("ok");

    const { UploadId: other } = await create(key);
    const abort = new AbortMultipartUploadCommand({ Bucket, Key, UploadId: other });
    expect(await outcome(s3.send(abort))).toBe("ok");
  });

  test("holds for a browser's form, by its fields", async () => {
    await setPolicy(REQUIRE);
    const post = async (fields: Record<string, string>) => {
      const name = { name: "main", endpoint: store.url, region: "us-east-1", addressing: "path" } as const;
      const bucket = {
        name: Bucket,
        storeBucket: Bucket,
        keys: [],
        store: { ...name, accessKeyId: "", secretAccessKey: "" },
      };
      const form = presignForm(
        { bucket, key: { exactly: "form" }, fields },
        { credentials, signingDate: new Date(), expiresIn: 60 },
      );
      const body = new FormData();
      for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
      body.append("file", new Blob(["x"]), "x");
      const response = await fetch(form.url, { method: "POST", body });
      return /<Code>(\w+)/.exec(await response.text())?.[1] ?? response.status;
    };
    expect(await post({})).toBe("AccessDenied");
    expect(await post(customerKeyHeaders(customerKey("k", randomBytes(32))))).toBe(204);
  });

  test("below a prefix leaves the rest of the bucket alone", async () => {
    await setPolicy({ ...REQUIRE, Resource: `arn:aws:s3:::${Bucket}/sensitive/*` });
    expect(await put("sensitive/k")).toBe("AccessDenied");
    expect(await put("sensitive/k", triple())).toBe("ok");
    expect(await put("sensitive")).toBe("ok");
  });

  test("may name the keys, by their MD5", async () => {
    const [allowed, other] = [triple(), triple()];
    await setPolicy(deny({ Condition: { StringNotEquals: { [KEY_MD5]: [allowed.SSECustomerKeyMD5] } } }));
    expect(await put("k", other)).toBe("AccessDenied");
    expect(await put("k")).toBe("AccessDenied");
    expect(await put("k", allowed)).toBe("ok");
  });
});

describe("conditions", () => {
  const STORAGE = "s3:x-amz-storage-class";
  const SECURE = "aws:SecureTransport";
  /** Which of three requests a Deny under this condition refuses: with no storage class, STANDARD, STANDARD_IA. */
  test.for([
    [{ StringEquals: { [STORAGE]: "STANDARD" } }, [false, true, false]],
    [{ StringEquals: { [STORAGE]: ["STANDARD", "STANDARD_IA"] } }, [false, true, true]],
    [{ StringEquals: { [STORAGE]: "standard" } }, [false, false, false]],
    [{ StringEqualsIgnoreCase: { [STORAGE]: "standard" } }, [false, true, false]],
    [{ StringEqualsIfExists: { [STORAGE]: "STANDARD" } }, [true, true, false]],
    [{ StringNotEquals: { [STORAGE]: "STANDARD" } }, [true, false, true]],
    [{ StringNotEquals: { [STORAGE]: ["STANDARD", "STANDARD_IA"] } }, [true, false, false]],
    [{ StringNotEqualsIfExists: { [STORAGE]: "STANDARD" } }, [true, false, true]],
    [{ StringLike: { [STORAGE]: "STANDARD_*" } }, [false, false, true]],
    [{ StringLike: { [STORAGE]: "STANDARD???" } }, [false, false, true]],
    [{ StringNotLike: { [STORAGE]: "*_IA" } }, [true, true, false]],
    [{ Null: { [STORAGE]: true } }, [true, false, false]],
    [{ Null: { [STORAGE]: "false" } }, [false, true, true]],
    [{ Null: { "S3:X-Amz-Storage-Class": "false" } }, [false, true, true]],
    [{ Bool: { [SECURE]: "false" } }, [true, true, true]],
    [{ Bool: { [SECURE]: "true" } }, [false, false, false]],
    // Operators and keys are all to hold.
    [{ Null: { [STORAGE]: "false" }, StringNotEquals: { [STORAGE]: "STANDARD" } }, [false, false, true]],
    [{ Null: { [STORAGE]: "false", [ALGORITHM]: "false" } }, [false, false, false]],
  ] as const)("%j", async ([Condition, refused]) => {
    await setPolicy(deny({ Condition }));
    const outcomes = [{}, { StorageClass: "STANDARD" }, { StorageClass: "STANDARD_IA" }].map((more) =>
      put("conditional", more),
    );
    expect(await Promise.all(outcomes)).toEqual(refused.map((no) => (no ? "AccessDenied" : "ok")));
  });
});

test.for([
  ["AWS's principal", { Principal: { AWS: "*" } }, "AccessDenied"],
  ["CoreWeave's principal", { Principal: { CW: ["*"] } }, "AccessDenied"],
  ["somebody else", { Principal: { AWS: "arn:aws:iam::111122223333:user/other" } }, "ok"],
  [
    "all but somebody else",
    { Principal: undefined, NotPrincipal: { AWS: "arn:aws:iam::111122223333:user/other" } },
    "AccessDenied",
  ],
  ["all actions", { Action: "*" }, "AccessDenied"],
  ["actions by a wildcard, in any case", { Action: "S3:put*" }, "AccessDenied"],
  ["another action", { Action: ["s3:GetObject", "s3:DeleteObject"] }, "ok"],
  ["all but other actions", { Action: undefined, NotAction: "s3:Get*" }, "AccessDenied"],
  ["all but this action", { Action: undefined, NotAction: "s3:PutObject" }, "ok"],
  ["a resource by a wildcard", { Resource: `arn:aws:s3:::${Bucket}/a?c/*.txt` }, "AccessDenied"],
  ["another resource", { Resource: `arn:aws:s3:::${Bucket}/A?C/*` }, "ok"],
  ["all but this", { Resource: undefined, NotResource: `arn:aws:s3:::${Bucket}/abc/*` }, "ok"],
  ["an allowance", { Effect: "Allow" }, "ok"],
] as const)("%s", async ([, more, expected]) => {
  await setPolicy(deny(more));
  expect(await put("abc/file.txt")).toBe(expected);
});

test("an explicit Deny wins, whatever is allowed before or after it", async () => {
  const allow = deny({ Effect: "Allow" });
  await setPolicy(allow, deny(), allow);
  expect(await put("k")).toBe("AccessDenied");
});

test("a copy's source is read", async () => {
  await put("hidden");
  await setPolicy(deny({ Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/hidden` }));
  const copy = new CopyObjectCommand({ Bucket, Key: "seen", CopySource: `${Bucket}/hidden` });
  expect(await outcome(s3.send(copy))).toBe("AccessDenied");
});

test("a Deny of everything leaves the owner the policy, exactly as it was put", async () => {
  const Policy = ` ${JSON.stringify({
    Statement: deny({ Action: "s3:*", Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`] }),
  })}\n`;
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  expect(await outcome(s3.send(new ListObjectsV2Command({ Bucket })))).toBe("AccessDenied");
  expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy);
  await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
  expect(await outcome(s3.send(new GetBucketPolicyCommand({ Bucket })))).toBe("NoSuchBucketPolicy");
  expect(await outcome(s3.send(new ListObjectsV2Command({ Bucket })))).toBe("ok");
});

test.for([
  ["no JSON", "{"],
  ["no statement", { Statement: [] }],
  ["an unknown version", { Version: "2020-01-01", Statement: [deny()] }],
  ["an unknown field", { Statement: [deny({ Effects: "Deny" })] }],
  ["an unknown effect", { Statement: [deny({ Effect: "Refuse" })] }],
  ["no principal", { Statement: [deny({ Principal: undefined })] }],
  ["an unknown kind of principal", { Statement: [deny({ Principal: { GCP: "*" } })] }],
  ["an invalid principal", { Statement: [deny({ Principal: { AWS: "not a name" } })] }],
  ["an action and its negation", { Statement: [deny({ NotAction: "s3:GetObject" })] }],
  ["another service's action", { Statement: [deny({ Action: "sqs:SendMessage" })] }],
  ["another bucket", { Statement: [deny({ Resource: "arn:aws:s3:::elsewhere/*" })] }],
  ["no ARN", { Statement: [deny({ Resource: `${Bucket}/*` })] }],
  ["objects' action on the bucket", { Statement: [deny({ Resource: `arn:aws:s3:::${Bucket}` })] }],
  ["the bucket's action on objects", { Statement: [deny({ Action: "s3:ListBucket" })] }],
  ["an unknown operator", { Statement: [deny({ Condition: { Equals: { [ALGORITHM]: "AES256" } } })] }],
  ["an unknown condition key", { Statement: [deny({ Condition: { Null: { "x-amz-acl": "true" } } })] }],
  ["a statement's id twice", { Statement: [deny({ Sid: "A" }), deny({ Sid: "A" })] }],
] as const)("a malformed policy is refused: %s", async ([, document]) => {
  const Policy = typeof document === "string" ? document : JSON.stringify(document);
  expect(await outcome(s3.send(new PutBucketPolicyCommand({ Bucket, Policy })))).toBe("MalformedPolicy");
  expect(await outcome(s3.send(new GetBucketPolicyCommand({ Bucket })))).toBe("NoSuchBucketPolicy");
});

test.for([
  [{ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }],
  [{ StringEquals: { "aws:PrincipalOrgID": "o-1" } }],
  [{ "ForAnyValue:StringEquals": { [ALGORITHM]: "AES256" } }],
] as const)("what the store cannot evaluate it does not take: %j", async ([Condition]) => {
  expect(await outcome(setPolicy(deny({ Condition })))).toBe("NotImplemented");
});
