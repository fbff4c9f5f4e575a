/** Snippets in languages that take long to begin: HTTPie's pasted as they are, Kotlin's compiled all at once and run. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshKey, get, isCeph, presign, put, send, xmlValue } from "../support/client.ts";
import { HTTPIE, isSkipped, KOTLIN, programOf } from "../support/tools.ts";
import { watched } from "../support/watched.ts";

const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), "ssec-snippets-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
function freshDir(): string {
  const dir = join(root, String(++folders));
  mkdirSync(dir);
  return dir;
}

/** One snippet: what it is for, what lies where it is pasted, and what must have come of it. */
interface Case {
  readonly name: string;
  readonly request: Record<string, unknown>;
  readonly dir: string;
  readonly check: (printed: string) => Promise<unknown> | unknown;
}

const NAMES = [
  "cat.jpg",
  "with space & 'quotes' \"double\".txt",
  "$(touch pwned) `touch pwned` ${HOME} $HOME !!.txt",
  "\\(1 + 1) \\u0041 \\$x.txt",
  "-rf",
  "@home",
  "[1-3]{a,b}*?;,#%41+.txt",
  "a\\:b\\=c\\;d\\@e;type=text.txt",
  "back\\slash\\n.txt",
  "new\nline.txt",
  "emoji 🐈 é \u202e\u2028.txt",
];
const FEW = NAMES.filter((name) => /pwned|u0041|type=text|emoji/.test(name));
const METADATA = { a: "`x` 'y' $z \\: \\u0041 \\(b)", empty: "" };
const TYPE = 'text/x-it\'s; a="$b"';

/** Each on objects of its own, so that all can be presigned before the first is run. */
async function cases(): Promise<Case[]> {
  const all: Case[] = [];
  const add = (name: string, request: Case["request"], files: object, check: Case["check"]) => {
    const dir = freshDir();
    for (const [name, body] of Object.entries(files)) writeFileSync(join(dir, name), body);
    all.push({
      name,
      request: { bucket: "media", expiresIn: 3600, ...request },
      dir,
      check: (printed) => check(printed),
    });
    return dir;
  };
  const bytes = randomBytes(50_000);

  for (const name of NAMES) {
    const [up, down, form] = [freshKey(name), freshKey(name), freshKey(name)];
    add(
      `uploads ${JSON.stringify(name)}`,
      { operation: "PutObject", key: up, contentType: TYPE, metadata: METADATA },
      { [name]: bytes },
      async () => {
        const { body, headers } = await get("media", up);
        expect(body.equals(bytes)).toBe(true);
        expect(headers).toMatchObject({
          "content-type": TYPE,
          "x-amz-meta-a": METADATA.a,
          "x-amz-meta-empty": "",
        });
      },
    );
    // One literal is as another: a few show that a download and a form have it as well.
    if (!FEW.includes(name)) continue;
    await put("media", down, bytes);
    const dir = add(
      `downloads ${JSON.stringify(name)}`,
      { operation: "GetObject", key: down },
      { [name]: "what was there before" },
      () => expect(readFileSync(join(dir, name)).equals(bytes)).toBe(true),
    );
    add(
      `sends a form with ${JSON.stringify(name)}`,
      {
        operation: "PostObject",
        key: form,
        contentType: "text/plain",
        metadata: { a: "`x` $z \\: \\(b)" },
        maxBytes: 60_000,
      },
      { [name]: bytes },
      async () => {
        const { body, headers } = await get("media", form);
        expect(body.equals(bytes)).toBe(true);
        expect(headers["x-amz-meta-a"]).toBe("`x` $z \\: \\(b)");
      },
    );
  }

  const empty = freshKey("empty");
  add(
    "uploads an empty file",
    { operation: "PutObject", key: empty, contentLength: 0 },
    { empty: "" },
    async () => {
      const { body, headers } = await get("media", empty);
      expect(body).toHaveLength(0);
      expect(headers["content-type"]).toBe("binary/octet-stream");
    },
  );

  const nothing = freshKey("nothing");
  await put("media", nothing, "");
  const into = add("downloads an empty file", { operation: "GetObject", key: nothing }, {}, () =>
    expect(readFileSync(join(into, "nothing"))).toHaveLength(0),
  );
  add("shows headers", { operation: "HeadObject", key: nothing }, {}, (printed) =>
    expect(printed).toMatch(/content-length: 0/i),
  );

  const folder = freshKey("folder/");
  add("uploads in a folder's place", { operation: "PutObject", key: folder }, { object: "here" }, async () =>
    expect((await get("media", folder)).text).toBe("here"),
  );

  const typed = freshKey("form.bin");
  add(
    "sends a form whose type is its user's, and is not led astray by where it leads",
    {
      operation: "PostObject",
      key: typed,
      contentTypePrefix: "image/",
      successActionRedirect: "https://app.invalid/done",
    },
    { "form.bin": "form" },
    async () => expect((await get("media", typed)).headers["content-type"]).toMatch(/^image\//),
  );

  const tagged = freshKey("tagged");
  await put("media", tagged, "x", { tagging: { before: "ü=1" } });
  const tagsOf = async (key: string) =>
    (await send(await presign({ operation: "GetObjectTagging", bucket: "media", key }))).text;
  add("reads tags", { operation: "GetObjectTagging", key: tagged }, {}, (printed) =>
    expect(printed).toMatch(/<Key>before<\/Key>\s*<Value>ü=1<\/Value>/),
  );
  const toTag = freshKey("to-tag");
  await put("media", toTag, "x");
  add(
    "sets tags",
    { operation: "PutObjectTagging", key: toTag, tagging: { "a b": "ü=1", "it@s": "+" } },
    {},
    async () => expect(await tagsOf(toTag)).toMatch(/<Key>a b<\/Key>\s*<Value>ü=1<\/Value>/),
  );
  const own = "<Tagging><TagSet><Tag><Key>own</Key><Value/></Tag></TagSet></Tagging>";
  const contentMD5 = createHash("md5").update(own).digest("base64");
  const byFile = freshKey("by-file");
  await put("media", byFile, "x");
  add(
    "sets tags by a file",
    { operation: "PutObjectTagging", key: byFile, contentMD5 },
    { "tagging.xml": own },
    async () => expect(await tagsOf(byFile)).toContain("<Key>own</Key>"),
  );
  const untagged = freshKey("untagged");
  await put("media", untagged, "x", { tagging: { a: "b" } });
  add("removes tags", { operation: "DeleteObjectTagging", key: untagged }, {}, async () =>
    expect(await tagsOf(untagged)).not.toContain("<Key>"),
  );

  const begin = async () => {
    const upload = { bucket: "media", key: freshKey("parts") };
    const { text } = await send(await presign({ operation: "CreateMultipartUpload", ...upload }));
    return { ...upload, uploadId: xmlValue(text, "UploadId") };
  };
  const part = async (upload: object) =>
    String(
      (await send(await presign({ operation: "UploadPart", ...upload, partNumber: 1 }), "part")).headers.etag,
    );
  add("begins an upload in parts", { operation: "CreateMultipartUpload", key: freshKey() }, {}, (printed) =>
    expect(xmlValue(printed, "UploadId")).not.toBe(""),
  );
  add(
    "sends a part",
    { operation: "UploadPart", ...(await begin()), partNumber: 1 },
    { parts: "part" },
    (printed) => expect(printed).toMatch(/etag: *"\w+"/i),
  );
  const listed = await begin();
  await part(listed);
  add("lists parts", { operation: "ListParts", ...listed }, {}, (printed) =>
    expect(printed).toContain("<PartNumber>1<"),
  );
  const whole = await begin();
  const parts = `<Part><PartNumber>1</PartNumber><ETag>${await part(whole)}</ETag></Part>`;
  add(
    "completes an upload in parts",
    { operation: "CompleteMultipartUpload", ...whole },
    { "complete.xml": `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>` },
    async () => expect((await get("media", whole.key)).text).toBe("part"),
  );
  const aborted = await begin();
  add("ends an upload in parts", { operation: "AbortMultipartUpload", ...aborted }, {}, async () =>
    expect((await send(await presign({ operation: "ListParts", ...aborted }))).status).toBe(404),
  );
  if (!isCeph) {
    const [from, to] = [freshKey("from"), freshKey("to")];
    await put("media", from, "copied");
    add(
      "copies",
      { operation: "CopyObject", key: to, source: { bucket: "media", key: from } },
      {},
      async () => expect((await get("media", to)).text).toBe("copied"),
    );
  }
  const gone = freshKey("gone");
  await put("media", gone, "x");
  add("removes", { operation: "DeleteObject", key: gone }, {}, async () =>
    expect((await get("media", gone, { keyId: "k2" })).status).toBe(404),
  );

  for (const operation of ["PutObject", "GetObject", "HeadObject", "DeleteObject"]) {
    const key = freshKey("at-edge");
    if (operation !== "PutObject") await put("media", key, "edge");
    const dir = add(
      `${operation} at the edge`,
      { operation, key, via: "edge" },
      operation === "PutObject" ? { "at-edge": "edge" } : {},
      async (printed) => {
        if (operation === "PutObject") expect((await get("media", key)).text).toBe("edge");
        if (operation === "GetObject") expect(readFileSync(join(dir, "at-edge"), "utf8")).toBe("edge");
        if (operation === "HeadObject") expect(printed).toMatch(/content-length: 4/i);
      },
    );
  }
  return all;
}

/** Fails as it should: the store refuses what it asks for. */
const REFUSED = { operation: "GetObject", bucket: "media", keyId: "k2" };
function expectQuietFailure(error: { code: number; stdout: string; stderr: string }): boolean {
  expect(error.code).not.toBe(0);
  expect(error.stdout + error.stderr).toMatch(/NoSuchKey|404/);
  expect(error.stdout + error.stderr).not.toContain("X-Amz-Signature");
  return true;
}

describe.skipIf(isSkipped(HTTPIE))("httpie", async () => {
  /** Runs the snippet; what it prints, once it has shown that it does not show its secrets. */
  async function paste(request: object, dir: string): Promise<string> {
    const { snippet, url, headers, fields } = await presign({ ...request, snippet: "httpie" });
    const shell = join(freshDir(), "snippet.sh");
    writeFileSync(shell, snippet);
    const { PATH, argv } = await watched(freshDir(), "http", programOf(HTTPIE));
    const { stdout } = await run("sh", [shell], {
      cwd: dir,
      env: { ...process.env, PATH, LC_ALL: "C.UTF-8" },
    });
    const shown = await argv();
    const keys = Object.entries({ ...headers, ...fields }).filter(([name]) => name.endsWith("-customer-key"));
    const signature = /Signature=(\w{64})/.exec(url)?.[1] ?? fields?.["x-amz-signature"] ?? "none";
    for (const secret of [signature, ...keys.map(([, key]) => key)]) expect(shown).not.toContain(secret);
    return stdout;
  }

  test("every operation, with hostile names", { timeout: 400_000 }, async () => {
    for (const { name, request, dir, check } of await cases()) {
      const printed = await paste(request, dir).catch((error: Error) => {
        throw new Error(`${name}: ${error.message}`);
      });
      await Promise.resolve(check(printed)).catch((error: Error) => {
        throw new Error(`${name}: ${error.message}`);
      });
      expect(() => readFileSync(join(dir, "pwned")), name).toThrow();
    }
  });

  test("fails where the store refuses, and does not repeat the URL", async () => {
    const refusal = paste({ ...REFUSED, key: freshKey() }, freshDir());
    await expect(refusal).rejects.toSatisfy(expectQuietFailure);
  });
});

describe.skipIf(isSkipped(KOTLIN))("kotlin", async () => {
  const sources = freshDir();
  const jar = join(sources, "snippets.jar");
  const written: { className: string; each: Case }[] = [];

  /** Java's name for a program without a name. */
  async function write(className: string, request: object): Promise<void> {
    const { snippet } = await presign({ ...request, snippet: "kotlin" });
    writeFileSync(join(sources, `${className}.kt`), snippet);
  }
  const java = async (className: string, cwd: string) => {
    const classes = `${jar}:/usr/share/java/kotlin-stdlib.jar`;
    const env = { ...process.env, LC_ALL: "C.UTF-8" };
    return (await run("java", ["-XX:TieredStopAtLevel=1", "-cp", classes, `${className}Kt`], { cwd, env }))
      .stdout;
  };

  beforeAll(async () => {
    for (const each of await cases()) {
      const className = `Snippet${written.length}`;
      await write(className, each.request);
      written.push({ className, each });
    }
    await write("Refused", { ...REFUSED, key: freshKey() });
    const names = [...written.map(({ className }) => className), "Refused"];
    const files = names.map((name) => join(sources, `${name}.kt`));
    const { stderr } = await run(programOf(KOTLIN), [...files, "-d", jar]);
    expect(stderr).not.toMatch(/^.*\.kt:\d+:\d+: warning/m);
  }, 400_000);

  test("every operation, with hostile names", { timeout: 400_000 }, async () => {
    for (const { className, each } of written) {
      const { name, dir, check } = each;
      const printed = await java(className, dir).catch((error: Error) => {
        throw new Error(`${name}: ${error.message}`);
      });
      await Promise.resolve(check(printed)).catch((error: Error) => {
        throw new Error(`${name}: ${error.message}`);
      });
    }
  });

  test("fails where the store refuses, and does not repeat the URL", async () => {
    await expect(java("Refused", freshDir())).rejects.toSatisfy(expectQuietFailure);
  });
});
