/** Snippets are pasted and run, as a reader of the answer would, for every operation and with hostile file names. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { freshKey, get, isCeph, presign, put, send, xmlValue } from "../support/client.ts";
import { Interpreter } from "../support/interpreter.ts";
import { CURL, isSkipped, PYTHON_REQUESTS, programOf } from "../support/tools.ts";
import { watchedCurl } from "../support/watched.ts";

const run = promisify(execFile);
const dirs: string[] = [];
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

async function freshDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "ssec-snippet-"));
  dirs.push(dir);
  return dir;
}

const LANGUAGES = [
  { language: "curl", file: ".s.sh", tool: CURL },
  { language: "python", file: ".s.py", tool: PYTHON_REQUESTS },
  { language: "javascript", file: ".s.mjs", tool: { program: process.execPath, install: "nodejs" } },
] as const;

const interpreters: Partial<Record<string, Interpreter>> = {};
afterAll(() => {
  for (const interpreter of Object.values(interpreters)) interpreter?.close();
});

describe.each(LANGUAGES)("$language", ({ language, file, tool }) => {
  /** Runs the snippet of a request in a folder; what it prints. */
  async function paste(request: Record<string, unknown>, dir: string): Promise<string> {
    const program = programOf(tool);
    const { snippet } = await presign({ bucket: "media", ...request, snippet: language });
    await writeFile(join(dir, file), snippet);
    if (language !== "curl") {
      interpreters[language] ??= Interpreter[language](program);
      return (await interpreters[language].run(join(dir, file), dir)).stdout;
    }
    const { PATH, argv } = await watchedCurl(await freshDir(), program);
    const { stdout } = await run("sh", [join(dir, file)], { cwd: dir, env: { ...process.env, PATH } });
    // What stands in a command's arguments, every user of the machine can read.
    expect(await argv()).toBe("--config\n-\n");
    return stdout;
  }
  const tried = test.skipIf(isSkipped(tool));

  const names = [
    "cat.jpg",
    "with space & 'quotes' \"double\".txt",
    "-rf",
    "-",
    "@home",
    "[1-3]{a,b}*?;,#%41+.txt",
    "back\\slash\\n.txt",
    "new\nline.txt",
    "emoji 🐈 é.txt",
  ];
  const goesThrough = async (name: string) => {
    const [up, down] = [await freshDir(), await freshDir()];
    const key = freshKey(name);
    const body = randomBytes(50_000);
    await writeFile(join(up, name), body);
    await paste(
      {
        operation: "PutObject",
        key,
        contentType: 'text/x-it\'s; a="$b"',
        metadata: { a: "`x` 'y' $z", empty: "" },
      },
      up,
    );
    await paste({ operation: "GetObject", key }, down);
    expect((await readFile(join(down, name))).equals(body)).toBe(true);
    expect((await get("media", key)).headers).toMatchObject({
      "content-type": 'text/x-it\'s; a="$b"',
      "x-amz-meta-a": "`x` 'y' $z",
      "x-amz-meta-empty": "",
    });

    if (name.includes("\n")) return; // no form can carry it: refused, see presign.test.ts
    const form = freshKey(name);
    await paste({ operation: "PostObject", key: form, contentType: "text/plain", maxBytes: 60_000 }, up);
    expect((await get("media", form)).body.equals(body)).toBe(true);
    await expect(readFile(join(up, "pwned"))).rejects.toThrow();
  };
  // The others' characters are quoted by the same functions: test/snippets.
  const ASKED = "$(touch pwned) `touch pwned` ${HOME} !!.txt";
  tried(`uploads and downloads ${ASKED}`, () => goesThrough(ASKED));
  tried.for(names)("uploads and downloads %j", { tags: ["thorough"] }, goesThrough);

  tried("uploads and downloads an empty file", { tags: ["thorough"] }, async () => {
    const dir = await freshDir();
    const key = freshKey("empty");
    await writeFile(join(dir, "empty"), "");
    await paste({ operation: "PutObject", key, contentLength: 0 }, dir);
    await paste({ operation: "GetObject", key }, dir);
    expect(await readFile(join(dir, "empty"), "utf8")).toBe("");
    expect(await paste({ operation: "HeadObject", key }, dir)).toMatch(/content-length: 0/i);
  });

  tried("uploads and downloads an object whose key ends in a slash", { tags: ["thorough"] }, async () => {
    const dir = await freshDir();
    const key = freshKey("folder/");
    await writeFile(join(dir, "object"), "in the folder's place");
    await paste({ operation: "PutObject", key }, dir);
    await writeFile(join(dir, "object"), "");
    await paste({ operation: "GetObject", key }, dir);
    expect(await readFile(join(dir, "object"), "utf8")).toBe("in the folder's place");
    expect((await get("media", key)).headers["content-type"]).toBe("binary/octet-stream");

    const { uploadId, ...upload } = { key, uploadId: await begin(key, dir) };
    await writeFile(join(dir, "object"), "part");
    const headers = await paste({ operation: "UploadPart", ...upload, uploadId, partNumber: 1 }, dir);
    expect(headers).toMatch(/etag: *\S+/i);
    await paste({ operation: "AbortMultipartUpload", ...upload, uploadId }, dir);
  });

  tried("sets, reads and removes tags", { tags: ["thorough"] }, async () => {
    const dir = await freshDir();
    const key = freshKey("tagged");
    await put("media", key, "x");
    await paste({ operation: "PutObjectTagging", key, tagging: { "a b": "ü=1", "it@s": "+" } }, dir);
    const tags = await paste({ operation: "GetObjectTagging", key }, dir);
    expect(tags).toMatch(/<Key>a b<\/Key>\s*<Value>ü=1<\/Value>/);
    const own = "<Tagging><TagSet><Tag><Key>own</Key><Value/></Tag></TagSet></Tagging>";
    await writeFile(join(dir, "tagging.xml"), own);
    const contentMD5 = createHash("md5").update(own).digest("base64");
    await paste({ operation: "PutObjectTagging", key, contentMD5 }, dir);
    expect(await paste({ operation: "GetObjectTagging", key }, dir)).toContain("<Key>own</Key>");
    await paste({ operation: "DeleteObjectTagging", key }, dir);
    expect(await paste({ operation: "GetObjectTagging", key }, dir)).not.toContain("<Key>");
  });

  tried("tells an object's attributes", async ({ skip }) => {
    skip(isCeph, "RGW 16 does not know GetObjectAttributes");
    const key = freshKey("attributes");
    await put("media", key, "12345");
    const request = { operation: "GetObjectAttributes", key, objectAttributes: ["ObjectSize"] };
    expect(await paste(request, await freshDir())).toContain("<ObjectSize>5</ObjectSize>");
  });

  tried("sends a form whose type and tags are given, and is not led astray by where it leads", async () => {
    const dir = await freshDir();
    const key = freshKey("form.bin");
    await writeFile(join(dir, "form.bin"), "form");
    await paste(
      {
        operation: "PostObject",
        key,
        contentTypePrefix: "image/",
        tagging: { a: "b" },
        metadata: { empty: "" },
        successActionRedirect: "https://app.invalid/done",
      },
      dir,
    );
    expect((await get("media", key)).headers["content-type"]).toMatch(/^image\//);
    expect(await paste({ operation: "GetObjectTagging", key }, dir)).toContain("<Key>a</Key>");
  });

  const begin = async (key: string, dir: string) =>
    xmlValue(await paste({ operation: "CreateMultipartUpload", key }, dir), "UploadId");

  // One of them is quick.
  const tags = language === "javascript" ? [] : ["thorough"];
  tried("takes a multipart upload from its beginning to its end", { tags }, async () => {
    const dir = await freshDir();
    const key = freshKey("parts");
    const created = await paste({ operation: "CreateMultipartUpload", key }, dir);
    const uploadId = xmlValue(created, "UploadId");
    const upload = { key, uploadId };
    await writeFile(join(dir, "parts"), "part");
    const etag = /etag: *(\S+)/i.exec(
      await paste({ operation: "UploadPart", ...upload, partNumber: 1 }, dir),
    )?.[1];
    expect(await paste({ operation: "ListParts", ...upload }, dir)).toContain("<PartNumber>1<");
    const part = `<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`;
    await writeFile(join(dir, "complete.xml"), `<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`);
    await paste({ operation: "CompleteMultipartUpload", ...upload }, dir);
    const got = await get("media", key);
    expect(got.text).toBe("part");
    expect(got.headers["content-type"]).toBe("binary/octet-stream");

    const second = {
      key,
      uploadId: xmlValue(await paste({ operation: "CreateMultipartUpload", key }, dir), "UploadId"),
    };
    const source = { bucket: "media", key };
    expect(await paste({ operation: "UploadPartCopy", ...second, partNumber: 1, source }, dir)).toContain(
      "ETag",
    );
    await paste({ operation: "AbortMultipartUpload", ...second }, dir);
    await paste({ operation: "DeleteObject", key }, dir);
    expect(
      (await send(await presign({ operation: "GetObject", bucket: "media", key, keyId: "k2" }))).status,
    ).toBe(404);
  });

  tried("copies", async ({ skip }) => {
    skip(isCeph, "RGW answers 501 to a copy of an SSE-C object");
    const [from, to] = [freshKey("from"), freshKey("to")];
    await put("media", from, "copied");
    await paste(
      { operation: "CopyObject", key: to, source: { bucket: "media", key: from } },
      await freshDir(),
    );
    expect((await get("media", to)).text).toBe("copied");
  });

  tried("fails where the store refuses, and does not repeat the URL", async () => {
    const refusal = paste(
      { operation: "GetObject", key: freshKey("nothing"), keyId: "k2" },
      await freshDir(),
    );
    await expect(refusal).rejects.toSatisfy((error: { code: number; stdout: string; stderr: string }) => {
      expect(error.code).not.toBe(0);
      expect(error.stdout + error.stderr).not.toContain("X-Amz-Signature");
      return true;
    });
  });
});
