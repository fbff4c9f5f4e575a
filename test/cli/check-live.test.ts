/** `ssec check --live`: green on an honest store, and red in the right line on each that is not. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startStore } from "../../src/dev-store/index.ts";
import { customerKey, decodeCustomerKey } from "../../src/keys/customer-key.ts";
import { selfSigned } from "../support/certificates.ts";
import { isCeph, store } from "../support/client.ts";
import {
  error,
  type Fault,
  type FaultProxy,
  isComplete,
  isHead,
  isPart,
  isPut,
  startFaultProxy,
} from "../support/fault-proxy.ts";
import {
  droppingSse,
  forgettingTime,
  hasKey,
  hasKeyInQuery,
  isGet,
  lyingAboutSse,
  openingToAnyKey,
  overlooking,
  takingAdded,
  trustingEverybody,
} from "../support/lenient.ts";
import { s3Client } from "../support/s3.ts";
import { testSampled } from "../support/sampled.ts";
import { type Run, runHere, startSsec } from "../support/ssec.ts";

const BUCKET = "check-live";
const ORIGIN = "https://app.example.com";
const SSE = "x-amz-server-side-encryption-customer-";

const dir = mkdtempSync(join(tmpdir(), "ssec-check-"));
const secrets = {
  ID: store.accessKeyId,
  SECRET: store.secretAccessKey,
  WRONG_SECRET: randomBytes(30).toString("base64"),
  K1: randomBytes(32).toString("base64"),
  ROOT: randomBytes(32).toString("base64"),
};
const s3 = s3Client(store);

const key = customerKey("k1", decodeCustomerKey(secrets.K1));

let proxy: FaultProxy;

beforeAll(async () => {
  proxy = await startFaultProxy(store.url);
  await makeBucket(BUCKET);
});
afterEach(() => proxy.break());
afterAll(() => {
  proxy.close();
  s3.destroy();
  rmSync(dir, { recursive: true });
});

async function makeBucket(Bucket: string): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  const rule = {
    AllowedOrigins: [ORIGIN],
    AllowedMethods: ["GET", "PUT"],
    AllowedHeaders: ["*"],
    ExposeHeaders: ["ETag", `${SSE}algorithm`],
  };
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }));
}

interface Finding {
  readonly bucket: string;
  readonly check: string;
  readonly verdict: "ok" | "off" | "warn" | "bad";
  readonly what: string;
  readonly todo?: string;
  readonly command?: string;
}

interface Options {
  readonly store?: object;
  readonly bucket?: object;
  readonly vars?: object;
  readonly args?: string[];
  readonly env?: Record<string, string>;
  /** Is aborted when the operator presses Ctrl-C, or, if they hang up, closes the terminal. */
  readonly interrupt?: AbortSignal;
  readonly hangsUp?: boolean;
  /** Whether it has to be a process of its own. */
  readonly isApart?: boolean;
}

const MAIN = { region: "us-east-1", addressing: "path", accessKeyId: "ID", secretAccessKey: "SECRET" };
let runs = 0;

/** Runs the command on a configuration of its own, with the bucket as "media". */
async function run({
  args = ["--json"],
  env = {},
  interrupt,
  hangsUp = false,
  isApart = interrupt !== undefined,
  ...more
}: Options = {}): Promise<Run> {
  const config = join(dir, `${++runs}.json`);
  const vars = {
    STORES: {
      main: { ...MAIN, endpoint: proxy.url, ...more.store },
    },
    KEYS: { k1: { secret: "K1" }, root: { secret: "ROOT", derive: true } },
    BUCKETS: { media: { store: "main", name: BUCKET, keys: ["k1"], ...more.bucket } },
    ALLOWED_ORIGINS: [ORIGIN],
    ...more.vars,
  };
  writeFileSync(config, JSON.stringify({ name: "x", vars }));
  const command = ["--config", config, "check", "--live", ...args];
  const given = { ...secrets, ...env };
  const done = isApart ? await apart(command, given, interrupt, hangsUp) : await runHere(command, given);
  for (const secret of [...Object.values(secrets).slice(1), "X-Amz-Signature", "x-amz-signature"]) {
    expect(done.stdout + done.stderr).not.toContain(secret);
  }
  return done;
}

function apart(
  command: string[],
  env: Record<string, string>,
  interrupt: AbortSignal | undefined,
  hangsUp: boolean,
): Promise<Run> {
  const { child, ended } = startSsec(command, env);
  interrupt?.addEventListener("abort", () => {
    if (hangsUp) for (const stream of [child.stdout, child.stderr]) stream.destroy();
    child.kill(hangsUp ? "SIGHUP" : "SIGINT");
  });
  return ended;
}

function findingsOf({ stdout }: Run, bucket = "media"): Finding[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Finding)
    .filter((line) => line.bucket === bucket);
}

function summaryOf(lines: readonly Finding[]) {
  const by = (wanted: Finding["verdict"]) =>
    lines.filter(({ verdict }) => verdict === wanted).map(({ check }) => check);
  for (const { verdict, todo } of lines) if (verdict === "bad") expect(todo).toBeTruthy();
  const findings = Object.fromEntries(lines.map((line) => [line.check, line]));
  return { findings, red: by("bad"), yellow: by("warn"), grey: by("off"), green: by("ok") };
}

async function check(options?: Options) {
  const done = await run(options);
  expect(done.stderr).toBe("");
  const summary = summaryOf(
    findingsOf(done, options?.args?.[0] === "--bucket" ? options.args[1] : undefined),
  );
  expect(done.status).toBe(summary.red.length > 0 ? 1 : 0);
  return summary;
}

async function expectNothingLeft(Bucket = BUCKET): Promise<void> {
  const [{ Contents = [] }, { Uploads = [] }] = await Promise.all([
    s3.send(new ListObjectsV2Command({ Bucket })),
    s3.send(new ListMultipartUploadsCommand({ Bucket })),
  ]);
  expect([...Contents, ...Uploads].map(({ Key }) => Key)).toEqual([]);
  await expect(s3.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toThrow(
    expect.objectContaining({ name: "NoSuchBucketPolicy" }),
  );
}

/** What is true of the store itself, without any fault before it. */
const RED = isCeph ? ["added"] : [];
const YELLOW = isCeph
  ? [
      "query",
      "checksum",
      "tags",
      "part-number",
      "put-conditions",
      "complete-conditions",
      "delete-conditions",
      "copy-conditions",
    ]
  : [];

/** Lines that say nothing where no object can be written as it should be. */
const PROMISES = [
  "added",
  ...["query", "copy", "multipart", "form", "checksum", "content-md5", "tags", "head-length", "part-number"],
  ...["put-conditions", "complete-conditions", "delete-conditions", "copy-conditions", "list"],
];

const always = () => true;
const isCopy = ({ headers }: IncomingMessage) => "x-amz-copy-source" in headers;
const isDelete = ({ method }: IncomingMessage) => method === "DELETE";
const isMultipart = ({ url = "" }: IncomingMessage) => /[?&]uploads|uploadId=/.test(url);
const clockAt = (now: () => number): Fault => ({
  on: always,
  headers: (answer) => {
    answer.date = new Date(now()).toUTCString();
  },
});
/** Of the object that a line is tried with. */
const isOf = (name: string, { url = "" }: IncomingMessage) => url.includes(`/${name}?`);
const isPreflight = ({ method }: IncomingMessage) => method === "OPTIONS";

describe("an honest store", { timeout: 240_000 }, () => {
  testSampled(["k1", "root"], 2, "is green under the key %s", async (key) => {
    const { red, yellow, grey, findings } = await check({ bucket: { keys: [key] } });
    expect(red).toEqual(RED);
    // Ceph copies no encrypted object, and no part of one from key to key.
    const isBetweenKeys = isCeph && key === "root";
    const lost = isBetweenKeys ? ["copy-conditions"] : [];
    expect(yellow).toEqual([...YELLOW.filter((line) => !lost.includes(line)), "enforced"]);
    expect(grey).toEqual(isCeph ? ["tls", "copy", ...lost] : ["tls"]);
    expect(findings["at-rest"]?.what).toMatch(/^without the key refused \(400/);
    await expectNothingLeft();
  });

  test("says so at a glance, without colours where nobody looks", { tags: ["thorough"] }, async () => {
    const { status, stdout } = await run({ args: [] });
    expect(status).toBe(RED.length);
    expect(stdout).toMatch(new RegExp(`^BUCKETS.media: ${BUCKET} at ${proxy.url}$`, "m"));
    expect(stdout).toMatch(/^✓ encrypted at rest +without the key refused/m);
    const enforced = /^! SSE-C enforced +not enforced.*\n(.*)\n(.*)$/m.exec(stdout);
    if (isCeph) expect(enforced?.[1]).toMatch(/No policy does it: the store takes one, and then refuses/);
    else expect(enforced?.[2]).toMatch(/^ {6}npm run -s ssec -- --config \S+ policy media --apply$/);
    expect(stdout.includes("policy media --apply")).toBe(!isCeph);
    expect(stdout).not.toContain("\u001b");
  });

  test("names each line that docs/check.md explains, and no other", { tags: ["thorough"] }, async () => {
    const { green, yellow, grey, red } = await check();
    const explained = readFileSync("docs/check.md", "utf8").matchAll(/^\| [^|]*\(`([a-z0-9-]+)`\)\s*\|/gm);
    expect([...green, ...yellow, ...grey, ...red].sort()).toEqual([...explained].map(([, id]) => id).sort());
  });

  test.skipIf(isCeph)(
    "whose policy demands SSE-C is green to the last line",
    { tags: ["thorough"] },
    async () => {
      const condition = { Null: { [`s3:${SSE}algorithm`]: "true" } };
      const statement = {
        Sid: "SsecOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:PutObject",
        Resource: `arn:aws:s3:::${BUCKET}/*`,
        Condition: condition,
      };
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
      await s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
      const { red, yellow, grey, findings } = await check();
      await s3.send(new DeleteBucketPolicyCommand({ Bucket: BUCKET }));
      expect([...red, ...yellow]).toEqual(YELLOW);
      expect(grey).toEqual(["tls"]);
      expect(findings.enforced?.what).toBe("a PUT without a key is refused (403 AccessDenied)");
    },
  );

  test("that does not say what is missing is yellow there", async () => {
    const isMissing = ({ url = "" }: IncomingMessage) => url.includes("/nothing?");
    proxy.break({ on: isMissing, answer: error(403, "AccessDenied") });
    const { red, findings } = await check();
    expect(red).toEqual(RED);
    expect(findings.bucket).toMatchObject({
      verdict: "warn",
      todo: expect.stringMatching(/^Without ListBucket/),
    });
  });

  test("whose pages may not read the echo is yellow", { tags: ["thorough"] }, async () => {
    proxy.break({ on: always, headers: (answer) => void delete answer["access-control-expose-headers"] });
    const { yellow, findings } = await check();
    expect(yellow).toContain("cors");
    expect(findings.cors?.command).toMatch(
      RegExp(`^npm run -s ssec -- --config \\S+ cors media --origin ${ORIGIN} --apply$`),
    );
  });

  test.runIf(isCeph)("keeps no version of what was thrown away", async () => {
    const Bucket = "check-live-versions";
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const { findings } = await check({ bucket: { name: Bucket } });
    expect(findings.removed?.verdict).toBe("ok");
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect([...Versions, ...DeleteMarkers]).toEqual([]);
  });

  test(
    "is named: another bucket is not tried, and one that is not configured is a mistake",
    { tags: ["thorough"] },
    async () => {
      const bucket = { store: "main", name: BUCKET, keys: ["k1"] };
      const vars = { BUCKETS: { media: bucket, other: { ...bucket, name: "not-there" } } };
      expect((await check({ vars, args: ["--bucket", "media", "--json"] })).red).toEqual(RED);
      const unknown = await run({ vars, args: ["--bucket", "nope"] });
      expect(unknown).toMatchObject({ status: 1, stdout: "" });
      expect(unknown.stderr).toContain('no bucket "nope" in BUCKETS (have: media, other)');
      const { findings, red } = await check({ vars, args: ["--bucket", "other", "--json"] });
      expect(red).toEqual(["bucket"]);
      expect(findings.bucket?.what).toBe("there is no not-there");
    },
  );
});

/** Where uploads with a key are refused as well. */
const NO_POLICY = /^No policy does it: the store takes one, and then refuses uploads with a key as well/;

/** What stands before the store, and the lines that are to be red; every other is to be as it was. */
const FAULTS: readonly {
  name: string;
  fault: Fault | Fault[];
  red: string[];
  /** What the first of them says. */
  what?: RegExp;
  /** What lines say, by name. */
  says?: Record<string, RegExp>;
  /** Lines that are grey. */
  lost?: string[];
  /** Lines that are yellow, beside that of the policy. */
  yellow?: string[];
  /** Why no policy is recommended; without it, one is. */
  noPolicy?: RegExp;
}[] = [
  {
    name: "drops the SSE-C headers and says that it encrypted",
    fault: lyingAboutSse(store),
    red: ["at-rest"],
    what: /^NO: without any key the store gives the bytes/,
    lost: ["other-key", "inconsistent", ...PROMISES],
    noPolicy: NO_POLICY,
  },
  {
    name: "drops the SSE-C headers",
    fault: droppingSse(store),
    red: ["echo", "at-rest"],
    what: /^PUT: does not say that the object is encrypted/,
    lost: ["other-key", "inconsistent", ...PROMISES],
    noPolicy: NO_POLICY,
  },
  {
    name: "drops them in multipart uploads alone",
    fault: lyingAboutSse(store, (request) => hasKey(request) && isMultipart(request)),
    red: ["multipart"],
    what: /^NO: without any key the store gives the bytes/,
  },
  {
    name: "opens objects to any key",
    fault: openingToAnyKey(store, key),
    red: ["other-key"],
    what: /^taken \(200\)/,
  },
  {
    name: "takes URLs beyond their time",
    fault: forgettingTime(store),
    red: ["expired"],
    what: /^taken \(200\)/,
  },
  {
    name: "gives the object to everybody",
    fault: trustingEverybody(store, key),
    red: ["at-rest", "without-headers", "tampered", "expired"],
    what: /^NO: without any key/,
    lost: ["other-key", "inconsistent", ...PROMISES],
  },
  {
    name: "gives other bytes than it got",
    fault: {
      on: (request) => isGet(request) && hasKey(request) && request.url?.includes("/object?") === true,
      headers: (answer) => {
        answer["content-length"] = "10";
      },
      cutAnswerAfter: 10,
    },
    red: ["get"],
    what: /^gives other bytes \(10\)/,
  },
  {
    name: "takes no SSE-C, as new buckets of AWS",
    fault: {
      on: (request) => request.method === "PUT" && hasKey(request),
      answer: error(403, "AccessDenied"),
    },
    red: ["put"],
    what: /^refused \(403 AccessDenied\)/,
    lost: [
      ...["echo", "get", "at-rest", "without-headers", "other-key", "tampered", "inconsistent", "expired"],
      ...PROMISES,
    ],
    noPolicy: NO_POLICY,
  },
  {
    name: "overlooks a key in the query",
    fault: droppingSse(store, hasKeyInQuery),
    red: [],
    yellow: ["query"],
  },
  {
    name: "says that it encrypted under a key in the query",
    fault: lyingAboutSse(store, hasKeyInQuery),
    red: ["query"],
    what: /^said to be encrypted, and stored in the clear/,
  },
  {
    name: "echoes another key's MD5",
    fault: {
      on: hasKey,
      headers: (answer) => {
        if (`${SSE}key-md5` in answer) answer[`${SSE}key-md5`] = randomBytes(16).toString("base64");
      },
    },
    red: ["echo"],
    what: /^PUT: names another key's MD5/,
  },
  {
    name: "says that it is 20 minutes later",
    fault: clockAt(() => Date.now() + 20 * 60_000),
    red: ["clock"],
    what: /^the store's is 20 minutes ahead of this machine's/,
  },
  {
    name: "has no CORS",
    fault: { on: isPreflight, answer: error(403, "AccessForbidden") },
    red: ["cors"],
    what: /^https:\/\/app\.example\.com may not GET \(403\)/,
  },
  {
    name: "takes x-amz-* headers that are not signed, and has neither copies of its own nor policies",
    fault: [
      takingAdded(store),
      { on: ({ url = "" }) => /[?&]policy=/.test(url), answer: error(501, "NotImplemented") },
      { on: isCopy, answer: error(501, "NotImplemented") },
    ],
    red: ["added"],
    lost: ["copy", "copy-conditions"],
    says: {
      added:
        /^taken although nobody signed them: PUT: x-amz-copy-source, .*x-amz-tagging.*; UploadPart: x-amz-copy-source$/,
    },
    noPolicy: /^The store has no bucket policies \(501 NotImplemented\)/,
  },
  {
    name: "overlooks much of what it is told, and lets these credentials set no policy",
    fault: [
      overlooking(store, /^x-amz-(sdk-)?checksum-/),
      overlooking(store, /^x-amz-tagging$/, isMultipart),
      overlooking(store, /^partNumber$/, ({ method }) => method === "HEAD"),
      overlooking(store, /^if-/, isComplete),
      overlooking(store, /^if-/, isDelete),
      overlooking(store, /^x-amz-copy-source-if-/, isPart),
      overlooking(store, /^encoding-type$/),
      {
        on: ({ method, url = "" }) => method === "PUT" && /[?&]policy=/.test(url),
        answer: error(403, "AccessDenied"),
      },
    ],
    red: [],
    says: {
      checksum: /^a wrong one is taken: PUT: \S+sha256, .*crc32c, \S+crc64nvme; UploadPart: \S+sha256$/,
      tags: /^lost, although it answered 200: multipart upload$/,
      "part-number": /^ignored: part 2 of one gives the whole object \(200\)$/,
      "complete-conditions": /^overwritten all the same: if-none-match: \*$/,
      "delete-conditions": /^deleted all the same: another if-match$/,
      "copy-conditions": /^copied under another if-match: UploadPartCopy$/,
      list: /^encoding-type=url is ignored/,
    },
    yellow: [
      ...["checksum", "tags", "part-number", "complete-conditions", "delete-conditions"],
      ...["copy-conditions", "list"],
    ],
    noPolicy: /^Whether a policy would hold was not tried/,
  },
  {
    name: "keeps none of its other promises, and takes a policy only to refuse every upload",
    fault: [
      overlooking(store, /^content-md5$/, hasKey),
      { on: isHead, headers: (answer) => void delete answer["content-length"] },
      overlooking(store, /^if-/, isPut),
      overlooking(store, /^x-amz-copy-source-if-/),
      overlooking(store, /^continuation-token$/),
      {
        on: ({ method, url = "" }) => method === "PUT" && url.includes("/policed/"),
        answer: error(403, "AccessDenied"),
      },
    ],
    red: ["content-md5", "head-length", "put-conditions", "copy-conditions", "list"],
    says: {
      "content-md5": /^a wrong one is taken: PUT: content-md5; UploadPart: content-md5$/,
      "head-length": /^no content-length$/,
      "put-conditions":
        /^overwritten all the same: if-none-match: \*, another if-match, if-match of no object$/,
      "copy-conditions": /^copied under another if-match: CopyObject, UploadPartCopy$/,
      list: /^with encoding-type=url it never ends$/,
    },
    noPolicy: NO_POLICY,
  },
  {
    name: "keeps half of them, and sends readers of parts elsewhere",
    fault: [
      overlooking(store, /^x-amz-checksum-/, isMultipart),
      overlooking(store, /^if-match$/, isPut),
      overlooking(store, /^continuation-token$/, ({ url = "" }) => !url.includes("encoding-type")),
      {
        on: (request) => request.method !== "PUT" && request.url?.includes("partNumber=") === true,
        answer: (_, response) => response.writeHead(307, { location: "http://127.0.0.1:9/" }).end(),
      },
    ],
    red: ["put-conditions", "list", "redirects"],
    says: {
      checksum: /^a wrong one is taken: UploadPart: x-amz-checksum-sha256$/,
      "put-conditions": /^overwritten all the same: another if-match, if-match of no object$/,
      list: /^without encoding-type it never ends$/,
      redirects: /^(GET|HEAD) is sent elsewhere \(307\)$/,
    },
    yellow: ["checksum", "part-number"],
  },
];

/** Those that between them turn most lines; the others turn them in ways of their own. */
const QUICK_FAULTS = [
  "drops the SSE-C headers and says that it encrypted",
  "opens objects to any key",
  "takes URLs beyond their time",
  "overlooks much of what it is told, and lets these credentials set no policy",
  "keeps none of its other promises, and takes a policy only to refuse every upload",
];
const isQuick = ({ name }: { name: string }) => QUICK_FAULTS.includes(name);

describe.skipIf(isCeph).for([
  { which: "quick", tags: [], faults: FAULTS.filter(isQuick) },
  { which: "other", tags: ["thorough"], faults: FAULTS.filter((fault) => !isQuick(fault)) },
])("a store with $which faults", ({ which, tags, faults }) => {
  let done: Run;
  const bucketOf = (i: number) => `${BUCKET}-${which}-${i}`;

  // All at once, as the command tries stores side by side.
  beforeAll(async () => {
    const proxies = await Promise.all(faults.map(() => startFaultProxy(store.url)));
    // Each has a policy of its own.
    for (const i of faults.keys()) await makeBucket(bucketOf(i));
    for (const [i, { fault }] of faults.entries()) proxies[i]?.break(...[fault].flat());
    const each = <T>(make: (i: number) => T) => Object.fromEntries(faults.map((_, i) => [`s${i}`, make(i)]));
    // So many stores in one process are no store's fault.
    done = await run({
      isApart: true,
      args: ["--json", "--timeout", "60"],
      vars: {
        STORES: each((i) => ({ ...MAIN, endpoint: proxies[i]?.url })),
        BUCKETS: each((i) => ({ store: `s${i}`, name: bucketOf(i), keys: ["k1"] })),
      },
    });
    for (const faulty of proxies) faulty.close();
  }, 400_000);

  test.for(faults.map((fault, i) => ({ ...fault, bucket: `s${i}` })))(
    "that $name",
    { tags },
    ({ bucket, red, what = /^/, says = {}, lost = [], yellow = [], noPolicy }) => {
      const checked = summaryOf(findingsOf(done, bucket));
      expect(checked.red).toEqual(red);
      if (red[0] !== undefined) expect(checked.findings[red[0]]?.what).toMatch(what);
      expect(checked.grey.filter((check) => check !== "tls").sort()).toEqual([...lost].sort());
      for (const [line, said] of Object.entries(says)) expect(checked.findings[line]?.what).toMatch(said);
      const { todo, command } = checked.findings.enforced ?? {};
      const hint = RegExp(`^npm run -s ssec -- --config \\S+ policy ${bucket} --apply$`);
      if (noPolicy) expect(command).toBeUndefined();
      else expect(command).toMatch(hint);
      if (noPolicy) expect(todo).toMatch(noPolicy);
      expect(checked.yellow).toEqual([...yellow, "enforced"]);
    },
  );

  test("leaves nothing behind, and the exit status says so", { tags }, async () => {
    expect(done).toMatchObject({ status: 1, stderr: "" });
    for (const i of faults.keys()) await expectNothingLeft(bucketOf(i));
  });
});

describe.skipIf(isCeph)("a store that", { timeout: 240_000 }, () => {
  test("really is 20 minutes ahead is tried by its own clock", { tags: ["thorough"] }, async () => {
    const now = () => Date.now() + 20 * 60_000;
    const data = join(dir, "ahead");
    const ahead = await startStore({ data, credentials: store, now, flushes: false });
    const its = await startFaultProxy(ahead.url);
    its.break(clockAt(now));
    const client = s3Client({ ...store, url: ahead.url }, { systemClockOffset: 20 * 60_000 });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const { red } = await check({ store: { endpoint: its.url }, vars: { ALLOWED_ORIGINS: [] } });
    expect(red).toEqual(["clock"]);
    client.destroy();
    its.close();
    await ahead.close();
  });

  test("is in another region is tried in its own", { tags: ["thorough"] }, async () => {
    const { red, findings } = await check({ store: { region: "eu-west-1" } });
    expect(red).toEqual(["region"]);
    expect(findings.region).toMatchObject({
      what: expect.stringMatching(/^eu-west-1 is refused \(400/),
      todo: expect.stringContaining('set STORES.main.region to "us-east-1"'),
    });
  });

  test("takes only path style is tried by that", { tags: ["thorough"] }, async () => {
    const isVirtual = ({ headers }: IncomingMessage) => headers.host?.startsWith(BUCKET) === true;
    const endpoint = proxy.url.replace("127.0.0.1", "localhost");
    for (const refusal of [error(404, "NoSuchBucket"), error(400, "InvalidURI")]) {
      proxy.break({ on: isVirtual, answer: refusal });
      const { red, findings } = await check({ store: { endpoint, addressing: "virtual" } });
      expect(red).toEqual(["addressing"]);
      expect(findings.addressing?.todo).toContain('set STORES.main.addressing = "path"');
    }
    proxy.break();
    expect((await check({ store: { endpoint, addressing: "virtual" } })).red).toEqual([]);
    // No host has such a name.
    const { red, findings } = await check({ store: { addressing: "virtual" } });
    expect(red).toEqual(["addressing"]);
    expect(findings.addressing?.what).toBe(`virtual: there is no host ${BUCKET}.127.0.0.1`);
  });

  test("takes only host names is tried by those", { tags: ["thorough"] }, async () => {
    const isPath = ({ headers }: IncomingMessage) => headers.host?.startsWith(BUCKET) === false;
    proxy.break({ on: isPath, answer: error(400, "PathStyleRequestNotAllowed") });
    const { red, findings } = await check({
      store: { endpoint: proxy.url.replace("127.0.0.1", "localhost") },
    });
    expect(red).toEqual(["addressing"]);
    expect(findings.addressing?.todo).toContain('set STORES.main.addressing = "virtual"');
  });

  test("does not know the credentials", async () => {
    const { red, green, findings } = await check({ store: { secretAccessKey: "WRONG_SECRET" } });
    expect(red).toEqual(["credentials"]);
    expect(green).toEqual(
      ["connection", "clock", "addressing", "region"].filter((each) => green.includes(each)),
    );
    expect(findings.credentials?.what).toBe("refused (403 SignatureDoesNotMatch)");
    const stranger = await check({ env: { ID: "AKIDNOBODY" } });
    expect(stranger.findings.credentials?.what).toBe("refused (403 InvalidAccessKeyId)");
    const missing = await check({ store: { secretAccessKey: "NOT_HERE" } });
    expect(missing.findings.credentials?.what).toMatch(/^STORES\.main: secret NOT_HERE is not bound/);
  });

  test("never answers, or too late, costs one step's time", { tags: ["thorough"] }, async () => {
    proxy.break({ on: always, answer: () => {} });
    const began = performance.now();
    const { red, findings } = await check({ args: ["--timeout", "1", "--json"] });
    expect(red).toEqual(["connection"]);
    expect(findings.connection?.what).toBe("no answer in 1 s");
    expect(findings.get).toMatchObject({ verdict: "off", what: "not tried for want of: connection" });
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test("is not there", async () => {
    const { red, findings } = await check({ store: { endpoint: "http://127.0.0.1:9" } });
    expect(red).toEqual(["connection"]);
    expect(findings.connection?.what).toBe("no connection (ECONNREFUSED)");
  });
});

describe.skipIf(isCeph)("TLS", { timeout: 240_000 }, () => {
  const day = (offset: number) =>
    `${new Date(Date.now() + offset * 86_400_000).toISOString().replace(/\D/g, "").slice(0, 14)}Z`;

  async function behind(days: [number, number], isTrusted: boolean) {
    const certificate = selfSigned(join(dir, `tls-${days}-${isTrusted}`), day(days[0]), day(days[1]));
    const secure = await startFaultProxy(store.url, certificate);
    const checked = await check({
      store: { endpoint: secure.url },
      // Node reads it when it begins.
      ...(isTrusted && { isApart: true, env: { NODE_EXTRA_CA_CERTS: certificate.file } }),
    });
    secure.close();
    return checked;
  }

  test("with a certificate that is trusted is green", { tags: ["thorough"] }, async () => {
    const { red, findings } = await behind([-1, 300], true);
    expect(red).toEqual([]);
    expect(findings.tls).toMatchObject({
      verdict: "ok",
      what: expect.stringMatching(/^TLSv1\.3, certificate valid until \d{4}-/),
    });
  });

  test("whose certificate ends soon is yellow", { tags: ["thorough"] }, async () => {
    const { yellow } = await behind([-300, 5], true);
    expect(yellow).toContain("tls");
  });

  test("whose certificate has expired is red, and no key is sent", { tags: ["thorough"] }, async () => {
    const { red, green, findings } = await behind([-300, -1], true);
    expect(red).toEqual(["tls"]);
    expect(green).toEqual(["connection"]);
    expect(findings.tls).toMatchObject({
      what: "no trusted connection (CERT_HAS_EXPIRED)",
      todo: expect.stringContaining("the certificate has expired"),
    });
  });

  test("whose certificate is by nobody is red, and no key is sent", async () => {
    const { red, green, findings } = await behind([-1, 300], false);
    expect(red).toEqual(["tls"]);
    expect(green).toEqual(["connection"]);
    expect(findings.tls?.todo).toContain("NODE_EXTRA_CA_CERTS");
  });
});

describe("everything is removed", { timeout: 240_000 }, () => {
  test("when a part is never taken", { tags: ["thorough"] }, async () => {
    proxy.break({ on: (request) => isPart(request) && isOf("multipart", request), answer: () => {} });
    const { red, findings } = await check({ args: ["--json", "--timeout", "3"] });
    expect(red).toEqual([...RED, "multipart"]);
    expect(findings.multipart?.what).toBe("no answer in 3 s");
    await expectNothingLeft();
  });

  test("when the answer to the beginning of an upload is lost", { tags: ["thorough"] }, async () => {
    const isBegun = ({ method, url = "" }: IncomingMessage) => method === "POST" && /[?&]uploads/.test(url);
    proxy.break({
      on: (request) => isBegun(request) && isOf("multipart", request),
      cutAnswerAfter: 0,
    });
    const { red } = await check();
    expect(red).toEqual([...RED, "multipart"]);
    await expectNothingLeft();
  });

  test("when Ctrl-C comes while the store is silent", { tags: ["thorough"] }, async () => {
    const interruption = new AbortController();
    proxy.break({ on: isPart, answer: () => interruption.abort() });
    const { status, stdout, stderr } = await run({
      args: [],
      interrupt: interruption.signal,
    });
    expect(status).toBe(130);
    expect(stderr).toMatch(/and nothing is left\n$/);
    expect(stdout).not.toContain("encrypted at rest");
    await expectNothingLeft();
  });

  test("when the terminal is closed", { tags: ["thorough"] }, async () => {
    const interruption = new AbortController();
    proxy.break({ on: isPart, answer: () => interruption.abort() });
    await run({ interrupt: interruption.signal, hangsUp: true });
    await expectNothingLeft();
  });

  test("when Ctrl-C comes in the middle", { tags: ["thorough"] }, async () => {
    const interruption = new AbortController();
    const part = Promise.withResolvers<void>();
    proxy.break({
      on: isPart,
      forward: async (request) => {
        interruption.abort();
        await part.promise;
        return request;
      },
    });
    const running = run({ interrupt: interruption.signal });
    interruption.signal.addEventListener("abort", () => part.resolve());
    const { status, stderr } = await running;
    expect(status).toBe(130);
    expect(stderr).toMatch(/^BUCKETS\.media: objects removed: \d+, and nothing is left\n$/);
    await expectNothingLeft();
  });

  test("or it is said what is not", async () => {
    proxy.break({ on: ({ method }) => method === "DELETE", answer: error(403, "AccessDenied") });
    const { red, findings } = await check();
    expect(red).toEqual([...RED, "removed"]);
    expect(findings.removed).toMatchObject({
      what: "something may be left: 403 AccessDenied",
      todo: expect.stringMatching(
        /^Remove what is below ssec-check\/[0-9a-f]{16}\/ in BUCKETS\.media by hand/,
      ),
    });
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    expect(Contents.length).toBeGreaterThan(0);
  });
});
