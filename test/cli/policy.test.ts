/** `ssec policy`: the policy is merged, proven, and put back where a store does not do what it took. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  GetBucketPolicyCommand,
  ListMultipartUploadsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ALGORITHM, call, isCeph, presign, secrets, send, store } from "../support/client.ts";
import { error, type Fault, isPut } from "../support/fault-proxy.ts";
import { takingAdded } from "../support/lenient.ts";
import { ended, freshKeys, operator, proxied, s3 } from "../support/operator.ts";
import { triple } from "../support/s3.ts";

/** What is concurrent has a copy: vitest writes into it. */
const TIMEOUT = { timeout: 240_000 };
const MiB = 2 ** 20;
/** The store of these tests spreads nothing: what does not hold at once never will. */
const SOON = ["--wait", "0.5"];

interface Statement {
  readonly Sid: string;
  readonly Principal: object;
  readonly Resource: string;
  readonly Condition: Record<string, Record<string, string | string[]>>;
}
interface Begun {
  readonly key: string;
  readonly keyId: string;
  readonly uploadId: string;
  readonly partSize: number;
}
interface SignedParts {
  readonly parts: { partNumber: number; method: string; url: string; contentLength: number }[];
  readonly headers: Record<string, string>;
}
interface Policy {
  readonly Statement: Statement[];
}

/** The bucket's policy as its store has it; undefined when there is none. */
async function policyOf(Bucket: string): Promise<string | undefined> {
  try {
    return (await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy;
  } catch (error) {
    expect((error as Error).name).toBe("NoSuchBucketPolicy");
    return undefined;
  }
}

const sidsOf = (policy: string | undefined) =>
  [(JSON.parse(policy ?? '{"Statement": []}') as Policy).Statement].flat().map(({ Sid }) => Sid);

const setPolicy = (Bucket: string, Policy: string) => s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));

const put = (Bucket: string, Key: string, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...more })).then(
    () => "ok",
    (error: Error) => error.name,
  );

/** Somebody else's policy, spelled in a way of their own. */
const foreign = (bucket: string, statement: object = {}) =>
  `{ "Id": "theirs", "Version": "2008-10-17",\n "Statement": ${JSON.stringify({
    Sid: "ReadersOnly",
    Effect: "Deny",
    Principal: { AWS: ["*"] },
    Action: ["s3:DeleteObject"],
    Resource: [`arn:aws:s3:::${bucket}/kept/*`],
    ...statement,
  })}}`;

describe("without --apply the policy is printed", () => {
  test("for the bucket, a prefix, and some keys", async () => {
    const keys = freshKeys("k1", "k2");
    const { ssec, name } = await operator({ keys });
    const whole = await ssec("policy", "media");
    expect(whole.status).toBe(0);
    const { Statement, ...rest } = JSON.parse(whole.stdout);
    expect(rest).toEqual({ Version: "2012-10-17" });
    expect(Statement).toEqual(
      [
        ["Require", { Null: { [`s3:${ALGORITHM}`]: "true" } }],
        ["Algorithm", { StringNotEquals: { [`s3:${ALGORITHM}`]: "AES256" } }],
      ].map(([kind, Condition]) => ({
        Sid: `SsecEdge${kind}`,
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: "s3:PutObject",
        Resource: `arn:aws:s3:::${name}/*`,
        Condition,
      })),
    );

    const args = ["--prefix", "sensitive/", "--allow-key", "k1", "k2"];
    const narrow = JSON.parse((await ssec("policy", "media", ...args)).stdout) as Policy;
    expect(narrow.Statement.map(({ Resource }) => Resource)).toEqual(
      Array(3).fill(`arn:aws:s3:::${name}/sensitive/*`),
    );
    for (const { Sid } of narrow.Statement) expect(Sid).toMatch(/^[A-Za-z0-9]+$/);
    expect(narrow.Statement[2]?.Condition).toEqual({
      StringNotEquals: {
        "s3:x-amz-server-side-encryption-customer-key-MD5": ["k1", "k2"].map(
          (id) => triple(Buffer.from(keys[id] ?? "", "base64")).SSECustomerKeyMD5,
        ),
      },
    });
    expect(await policyOf(name)).toBeUndefined();
  });

  test.for([
    ["https://cwobject.com", "CW"],
    ["https://notcwobject.com", "AWS"],
  ] as const)("in the dialect of %s", async ([endpoint, principal]) => {
    const { ssec } = await operator({ endpoint, bucket: "acme-media" });
    const { stdout } = await ssec("policy", "media");
    expect((JSON.parse(stdout) as Policy).Statement[0]?.Principal).toEqual({ [principal]: "*" });
  });
});

test("what cannot be is refused, with the reason", TIMEOUT, async () => {
  const { ssec, name } = await operator({ keys: freshKeys("k1", "k2", "root") });
  const told = async (...args: string[]) => {
    const { status, stderr } = await ssec("policy", ...args);
    return `${status} ${stderr}`;
  };
  expect(await told("nowhere")).toMatch(/^1 .*no bucket "nowhere" in BUCKETS \(have: media\)/);
  expect(await told("media", "--allow-key", "k9")).toMatch(/^1 .*no key "k9" in KEYS \(have: k1, k2, root\)/);
  expect(await told("media", "--allow-key", "root")).toMatch(/^1 .*KEYS\.root is a root/);
  const derived = await operator({ keys: freshKeys("root", "k1") });
  expect((await derived.ssec("policy", "media", "--allow-key", "k1")).stderr).toContain(
    "BUCKETS.media is written under root, a root",
  );
  expect(await told("media", "--allow-key", "k2", "--apply", "--yes", ...SOON)).toMatch(
    /^1 .*BUCKETS\.media is written under k1/,
  );
  expect(await told("media", "--allow-key", "k1", "--remove")).toMatch(/^2 /);
  expect(await told("media", "--prefix", "a*/")).toMatch(/^2 .*\* \? \$/);
  // Nobody can be asked here.
  expect(await told("media", "--apply")).toMatch(/^1 .*give --yes/);
  expect(await policyOf(name)).toBeUndefined();
});

describe.skipIf(isCeph)("on a store that evaluates policies", () => {
  test("it is applied, holds, and leaves nothing behind", TIMEOUT, async () => {
    const { ssec, name, objects } = await operator();
    const { status, stdout } = await ssec("policy", "media", "--apply", "--yes", ...SOON);
    expect(status, stdout).toBe(0);
    expect(stdout).toContain('+      "Sid": "SsecEdgeRequire"');
    expect(stdout.match(/✓/g)).toHaveLength(4);
    expect(await put(name, "plain")).toBe("AccessDenied");
    expect(await put(name, "encrypted", triple())).toBe("ok");
    expect(await objects()).toEqual(["encrypted"]);
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket: name }))).Uploads).toBeUndefined();

    const applied = await policyOf(name);
    const again = await ssec("policy", "media", "--apply", "--json");
    expect(again.status).toBe(0);
    const report = JSON.parse(again.stdout);
    expect(report).toMatchObject({
      changes: false,
      applied: false,
      warnings: [],
      document: JSON.parse(applied ?? ""),
    });
    expect(report.proof).toHaveLength(4);
    expect(await policyOf(name)).toBe(applied);
  });

  test("the service's own uploads all go on below it", { tags: ["thorough"], ...TIMEOUT }, async () => {
    const prefix = `policed-${randomBytes(4).toString("hex")}/`;
    const { ssec } = await operator({ bucket: "vault", keys: { k3: secrets.KEY_3 ?? "" } });
    const args = ["policy", "media", "--prefix", prefix];
    const applied = await ssec(...args, "--allow-key", "k3", "--apply", "--yes", ...SOON);
    expect(applied.status, applied.stdout).toBe(0);
    expect(await put("vault", `${prefix}plain`)).toBe("AccessDenied");

    const bucket = "vault";
    const putting = await presign({ operation: "PutObject", bucket, key: `${prefix}put` });
    expect((await send(putting, "x")).status).toBe(200);
    const form = await presign({ operation: "PostObject", bucket, key: `${prefix}form` });
    const body = new FormData();
    for (const [field, value] of Object.entries(form.fields)) body.append(field, value);
    body.append("file", new Blob(["x"]), "x");
    expect((await fetch(form.url, { method: "POST", body })).status).toBe(204);
    const source = { bucket, key: `${prefix}put`, keyId: "k3" };
    const copy = await presign({ operation: "CopyObject", bucket, key: `${prefix}copy`, source });
    expect((await send(copy)).status).toBe(200);

    const post = async <T>(path: string, request: object): Promise<T> => {
      const response = await call(`/v1/multipart${path}`, { method: "POST", body: JSON.stringify(request) });
      expect(response.status).toBe(200);
      return response.json() as Promise<T>;
    };
    const size = 6 * MiB;
    const begun = await post<Begun>("", { bucket, key: `${prefix}parts`, size, partSize: 5 * MiB });
    const { key, keyId, uploadId, partSize } = begun;
    const upload = { bucket, key, keyId, uploadId };
    const signed = await post<SignedParts>("/sign", { ...upload, partNumbers: [1, 2], size, partSize });
    const parts = [];
    for (const { partNumber, method, url, contentLength } of signed.parts) {
      const sent = await send({ method, url, headers: signed.headers }, Buffer.alloc(contentLength));
      expect(sent.status, sent.text).toBe(200);
      parts.push({ partNumber, etag: String(sent.headers.etag) });
    }
    expect(await post<object>("/complete", { ...upload, parts })).toMatchObject({ size, keyId: "k3" });

    for (const bytes of [10, 20 * MiB]) {
      const edge = await call(`/v1/objects/vault/${prefix}edge-${bytes}`, {
        method: "PUT",
        body: Buffer.alloc(bytes),
      });
      expect(edge.status).toBeLessThan(300);
    }
  });

  test(
    "others' statements stay as they are; ours are replaced, and taken out",
    { tags: ["thorough"], ...TIMEOUT },
    async () => {
      const { ssec, name } = await operator({ keys: freshKeys("k1", "k2") });
      const before = foreign(name);
      await setPolicy(name, before);
      const theirs = JSON.parse(before).Statement;
      const apply = async (...args: string[]) => {
        const { status, stdout } = await ssec("policy", "media", ...args, "--apply", "--yes", ...SOON);
        expect(status, stdout).toBe(0);
        const policy = await policyOf(name);
        expect(JSON.parse(policy ?? "")).toMatchObject({ Id: "theirs", Version: "2008-10-17" });
        expect([JSON.parse(policy ?? "").Statement].flat()[0]).toEqual(theirs);
        return sidsOf(policy);
      };
      const whole = ["SsecEdgeRequire", "SsecEdgeAlgorithm"];
      expect(await apply("--allow-key", "k1", "k2")).toEqual(["ReadersOnly", ...whole, "SsecEdgeKeys"]);
      expect(await put(name, "k", triple())).toBe("AccessDenied");
      expect(await apply()).toEqual(["ReadersOnly", ...whole]);
      expect(await put(name, "k", triple())).toBe("ok");
      const shown = await ssec("policy", "media", "--remove");
      expect(shown.stdout).toContain("Nothing was changed: give --apply.");
      expect(sidsOf(await policyOf(name))).toEqual(["ReadersOnly", ...whole]);
      expect(await apply("--remove")).toEqual(["ReadersOnly"]);
      expect(await put(name, "plain")).toBe("ok");
    },
  );

  test("of a policy that was ours alone nothing is left", TIMEOUT, async () => {
    const { ssec, name } = await operator();
    await ssec("policy", "media", "--prefix", "a/", "--apply", "--yes", ...SOON);
    expect(sidsOf(await policyOf(name))).toHaveLength(2);
    const { status, stdout } = await ssec("policy", "media", "--remove", "--apply", "--yes", ...SOON);
    expect(status, stdout).toBe(0);
    expect(await policyOf(name)).toBeUndefined();
  });

  test(
    "a statement that lets no customer key in is named, and what does not hold is put back",
    TIMEOUT,
    async () => {
      const { ssec, name, objects } = await operator();
      // As many a guide has it: nothing but SSE-S3, which nobody can ask for beside SSE-C.
      const before = foreign(name, {
        Sid: "OnlySseS3",
        Action: "s3:PutObject",
        Resource: `arn:aws:s3:::${name}/*`,
        Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "AES256" } },
      });
      await setPolicy(name, before);
      const { status, stdout } = await ssec("policy", "media", "--apply", "--yes", ...SOON);
      expect(status).toBe(1);
      expect(stdout).toContain('! statement "OnlySseS3" denies uploads that bring a customer key');
      expect(stdout).toContain("✗ PutObject with one is accepted");
      expect(stdout).toContain("the old bucket policy is back");
      expect(await policyOf(name)).toBe(before);
      expect(await objects()).toEqual([]);
    },
  );

  test.concurrent(
    "what somebody else puts in place during the proof stays",
    { tags: ["thorough"], ...TIMEOUT },
    async () => {
      const { start, name } = await operator();
      const uploads = { Action: "s3:PutObject", Resource: `arn:aws:s3:::${name}/*` };
      await setPolicy(name, foreign(name, uploads));
      const run = ended(start("policy", "media", "--apply", "--yes", "--wait", "4"));
      await vi.waitFor(async () => expect(sidsOf(await policyOf(name))).toContain("SsecEdgeRequire"), 60_000);
      const theirs = foreign(name, { Sid: "Quicker", ...uploads });
      await setPolicy(name, theirs);
      const { status, stdout } = await run;
      expect(status).toBe(1);
      expect(stdout).toContain("somebody else has changed the bucket policy since: it is left as it is");
      expect(await policyOf(name)).toBe(theirs);
    },
  );

  test.concurrent(
    "interrupted in the proof, it puts back what was there",
    { tags: ["thorough"], ...TIMEOUT },
    async () => {
      const { start, name, objects } = await operator();
      const before = foreign(name, { Action: "s3:PutObject", Resource: `arn:aws:s3:::${name}/*` });
      await setPolicy(name, before);
      const child = start("policy", "media", "--apply", "--yes");
      const run = ended(child);
      await vi.waitFor(async () => expect(sidsOf(await policyOf(name))).toContain("SsecEdgeRequire"), 60_000);
      child.kill("SIGINT");
      const { status, stdout } = await run;
      expect(status).toBe(1);
      expect(stdout).toContain("✗ it was interrupted");
      expect(await policyOf(name)).toBe(before);
      expect(await objects()).toEqual([]);
    },
  );
});

test.skipIf(isCeph)(
  "whose output nobody reads, it puts back what was there",
  { tags: ["thorough"], ...TIMEOUT },
  async () => {
    const { start, name, objects } = await operator();
    const before = foreign(name, { Action: "s3:PutObject", Resource: `arn:aws:s3:::${name}/*` });
    await setPolicy(name, before);
    const child = start("policy", "media", "--apply", "--yes");
    child.stdout?.destroy();
    const { status } = await ended(child);
    expect(status).not.toBe(0);
    expect(await policyOf(name)).toBe(before);
    expect(await objects()).toEqual([]);
  },
);

describe("where something comes between", () => {
  const isPolicy = (method: string) => (request: { method?: string | undefined; url?: string | undefined }) =>
    request.method === method && /[?&]policy(=|&|$)/.test(request.url ?? "");

  test("a policy that was changed since it was read is not written over", TIMEOUT, async () => {
    let reads = 0;
    const { ssec, name } = await proxied({
      on: (request) => isPolicy("GET")(request) && ++reads === 2,
      answer: (_, response) => void response.end(foreign("another")),
    });
    const { status, stderr } = await ssec("policy", "media", "--apply", "--yes", ...SOON);
    expect(status).toBe(1);
    expect(stderr).toContain("somebody has changed the bucket policy in the meantime");
    expect(await policyOf(name)).toBeUndefined();
  });

  test(
    "a store that takes what nobody signed is named: no policy closes that",
    { tags: ["thorough"], ...TIMEOUT },
    async () => {
      const { ssec } = await proxied({ ...takingAdded(store), times: Number.POSITIVE_INFINITY });
      const { stdout } = await ssec("policy", "media", "--apply", "--yes", ...SOON);
      expect(stdout).toMatch(
        /^! no policy closes this: taken although nobody signed them: PUT: x-amz-copy-source.*presignedUploads = false/m,
      );
    },
  );

  test("no redirect is followed with a key", { tags: ["thorough"], ...TIMEOUT }, async () => {
    let asked = 0;
    const elsewhere = createServer((_, response) => {
      asked++;
      response.end();
    }).listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    onTestFinished(() => void elsewhere.close());
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
    const { ssec, name } = await proxied({
      on: ({ headers }) => `${ALGORITHM.replace("algorithm", "key")}` in headers,
      times: Number.POSITIVE_INFINITY,
      answer: (request, response) => {
        request.resume();
        response.writeHead(307, { location }).end();
      },
    });
    for (const args of [["policy"], ["cors", "--origin", "https://app.example.com"]]) {
      const { status } = await ssec(args[0] ?? "", "media", ...args.slice(1), "--apply", "--yes", ...SOON);
      expect(status).toBe(1);
    }
    expect(asked).toBe(0);
    expect(await policyOf(name)).toBeUndefined();
  });

  test("a store that refuses the policy is quoted", TIMEOUT, async () => {
    const { ssec, name } = await proxied({ on: isPolicy("PUT"), answer: error(400, "MalformedPolicy") });
    const { status, stderr } = await ssec("policy", "media", "--apply", "--yes", ...SOON);
    expect(status).toBe(1);
    expect(stderr).toContain("PutBucketPolicy: MalformedPolicy: as told");
    expect(await policyOf(name)).toBeUndefined();
  });

  test("a store that has no policies is quoted", TIMEOUT, async () => {
    const { ssec } = await proxied({ on: isPolicy("GET"), answer: error(501, "NotImplemented") });
    const { status, stderr } = await ssec("policy", "media", "--apply", "--yes", ...SOON);
    expect(status).toBe(1);
    expect(stderr).toContain("GetBucketPolicy: NotImplemented");
  });

  const silence: Fault = {
    on: isPut,
    times: Number.POSITIVE_INFINITY,
    headers: (headers) => void delete headers[ALGORITHM],
  };

  test(
    "a policy that cannot be put back is said to be there",
    { tags: ["thorough"], ...TIMEOUT },
    async () => {
      const stuck = {
        on: isPolicy("DELETE"),
        times: Number.POSITIVE_INFINITY,
        answer: error(403, "AccessDenied"),
      };
      const { ssec, name } = await proxied(stuck, silence);
      const { status, stderr } = await ssec("policy", "media", "--apply", "--yes", ...SOON);
      expect(status).toBe(1);
      expect(stderr).toContain(
        "the old bucket policy could not be put back: DeleteBucketPolicy: AccessDenied",
      );
      expect(stderr).toContain("It was: none");
      expect(sidsOf(await policyOf(name))).toContain("SsecEdgeRequire");
    },
  );

  test.skipIf(isCeph)("a store that does not say that it encrypts is not believed", TIMEOUT, async () => {
    const { ssec, name, objects } = await proxied(silence);
    const { status, stdout } = await ssec("policy", "media", "--apply", "--yes", ...SOON);
    expect(status).toBe(1);
    expect(stdout).toContain("✗ the store takes SSE-C headers and does not say that it encrypts");
    expect(await policyOf(name)).toBeUndefined();
    expect(await objects()).toEqual([]);
  });
});

describe.runIf(isCeph)("on Ceph, which takes such policies and then denies everything", () => {
  test.for([[undefined], [foreign]] as const)(
    "the proof fails, and the old policy is back",
    TIMEOUT,
    async ([make]) => {
      const { ssec, name, objects } = await operator();
      const before = make?.(name);
      if (before !== undefined) await setPolicy(name, before);
      const { status, stdout } = await ssec("policy", "media", "--apply", "--yes", ...SOON);
      expect(status).toBe(1);
      expect(stdout).toContain("✗ PutObject with one is accepted");
      expect(stdout).toContain(
        before === undefined ? "there was none before" : "the old bucket policy is back",
      );
      expect(await policyOf(name)).toBe(before);
      expect(await put(name, "encrypted", triple())).toBe("ok");
      expect(await objects()).toEqual(["encrypted"]);
    },
  );
});
