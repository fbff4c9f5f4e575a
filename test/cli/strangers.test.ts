/** `ssec` before Workers, stores and proxies that do what they should not, or what they may. */

import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { api, freshKey, put, secrets, store } from "../support/client.ts";
import { oneBucket } from "../support/one-bucket.ts";
import { ssecHere, startSsec } from "../support/ssec.ts";
import { type RunningWorker, startTestWorker } from "../support/worker.ts";

const dir = mkdtempSync(join(tmpdir(), "ssec-strangers-"));
afterAll(() => rmSync(dir, { recursive: true }));

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** What a request holds, once it is all there. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

/** A Worker in front of the real one, of which some answers are changed. */
function startDisguised(change: (path: string, answer: unknown) => unknown) {
  return serve(async (request, response) => {
    const { method = "GET", url = "", headers } = request;
    const body = method === "GET" || method === "HEAD" ? {} : { body: await bodyOf(request) };
    const { authorization = "" } = headers;
    const answer = await fetch(`${api}${url}`, { method, headers: { authorization }, ...body });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.startsWith("application/json");
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(isJson ? JSON.stringify(change(url, JSON.parse(text))) : text);
  });
}

const object = (key: string) => ({ key, size: 3, etag: '"x"', lastModified: "2026-01-01T00:00:00Z" });

describe("lists", () => {
  test.for([
    ["the same cursor again and again", () => "a"],
    ["two in turn", (page: number) => (page % 2 === 0 ? "a" : "b")],
  ] as const)("that never end end with an error: %s", async ([, cursorOf]) => {
    let pages = 0;
    const { url } = await serve((_, response) => {
      response.end(JSON.stringify({ objects: [object(`k${pages}`)], cursor: cursorOf(pages++) }));
    });
    for (const args of [
      ["ls", "media"],
      ["get", "-r", "media/a/", join(dir, "circle")],
      ["cp", "-r", "media/a/", "media/b/"],
    ]) {
      const { status, stderr } = await ssecHere(args, "ALL_TOKEN", url);
      expect({ args, status }).toEqual({ args, status: 1 });
      expect(stderr).toContain("goes round in circles");
    }
    // A page that is asked for again after a connection has gone counts twice.
    expect(pages).toBeLessThan(30);
  });

  test("of names that lead out of a folder put nothing there", { timeout: 60_000 }, async () => {
    const base = freshKey("names");
    const good = ["fine", "a", "deep/er/x"];
    for (const key of good) await put("media", `${base}/${key}`, key);
    const bad = ["../up", "/etc/x", "x/../../up", "./y", "a//b", "a/b", "..", "deep/er", "nul\0l", "file/"];
    const { url } = await startDisguised((path, answer) =>
      path.startsWith("/v1/objects/media?") && !path.includes("limit=1&") && !path.endsWith("limit=1")
        ? { objects: [...good, ...bad].map((key) => object(`${base}/${key}`)) }
        : answer,
    );
    const root = join(dir, "root");
    const { status, stderr } = await ssecHere(["get", "-r", `media/${base}`, root], "ALL_TOKEN", url);
    expect(status).toBe(1);
    expect(stderr).toContain(`${bad.length} of ${bad.length + good.length} not downloaded`);
    for (const key of bad.filter((key) => !key.includes("\0"))) expect(stderr).toContain(`${base}/${key}: `);
    expect(stderr).toContain("nul\\x00l");
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
    expect(files.map(({ name }) => name).sort()).toEqual(["a", "fine", "x"]);
    expect(readdirSync(dir).filter((name) => name === "up")).toEqual([]);

    // Nor are such names asked for when they are deleted or copied.
    const removed = await ssecHere(["rm", "-r", "--yes", `media/${base}/`], "ALL_TOKEN", url);
    expect(removed.stderr).toContain("as a segment");
    expect(removed.status).toBe(1);
  });
});

describe("a wait that is asked for is kept", { tags: ["thorough"] }, () => {
  test("by a Worker that says too many requests", async () => {
    const times: number[] = [];
    const { url } = await serve((_, response) => {
      times.push(Date.now());
      if (times.length === 1) {
        response.writeHead(429, { "retry-after": "2", "content-type": "application/problem+json" });
        response.end('{"code": "rate-limited", "detail": "Too many."}');
      } else response.end(JSON.stringify({ objects: [object("a")] }));
    });
    const { status, stdout } = await ssecHere(["ls", "media"], "ALL_TOKEN", url);
    expect([status, times.length]).toEqual([0, 2]);
    expect(stdout).toContain("a");
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(1900);
  });

  test("unless it is longer than anybody waits", async () => {
    let asked = 0;
    const { url } = await serve((_, response) => {
      asked++;
      response.writeHead(429, { "retry-after": "3600", "content-type": "application/problem+json" });
      response.end('{"code": "rate-limited", "detail": "Too many."}');
    });
    const { status, stderr } = await ssecHere(["ls", "media"], "ALL_TOKEN", url);
    expect([status, asked]).toEqual([1, 1]);
    expect(stderr).toContain("Too many.");
  });
});

describe("redirects are not followed", () => {
  const seen: IncomingMessage[] = [];
  const startElsewhere = async () => {
    seen.length = 0;
    return serve((request, response) => {
      seen.push(request);
      request.resume();
      response.end("{}");
    });
  };

  test.for([301, 302, 303, 307, 308])("of a Worker, with a token: %d", async (status) => {
    const { url: elsewhere } = await startElsewhere();
    const { url } = await serve((request, response) => {
      request.resume();
      response.writeHead(status, { location: `${elsewhere}${request.url}` }).end();
    });
    for (const args of [
      ["ls", "media"],
      ["head", "media/x"],
      ["rm", "media/x"],
      ["put", "/proc/version", "media/x"],
      ["audit"],
    ]) {
      const run = await ssecHere(args, "ALL_TOKEN", url);
      expect({ args, status: run.status }).toEqual({ args, status: 1 });
      expect(run.stderr).toContain("give the Worker's own address (--url)");
    }
    expect(seen).toEqual([]);
  });

  test.for([301, 302, 303, 307, 308])("of a store, with a customer key: %d", async (status) => {
    const { url: elsewhere } = await startElsewhere();
    const { url: redirecting } = await serve((request, response) => {
      request.resume();
      response.writeHead(status, { location: `${elsewhere}${request.url}` }).end();
    });
    const { url } = await startDisguised((_, answer) => {
      const { url, ...rest } = answer as { url?: string };
      return url === undefined ? rest : { ...rest, url: url.replace(/^http:\/\/[^/]+/, redirecting) };
    });
    const key = freshKey();
    await put("media", key, "x");
    const file = join(dir, "f");
    writeFileSync(file, "x");
    for (const args of [
      ["put", file, `media/${freshKey()}`],
      ["get", `media/${key}`, "-"],
      ["head", `media/${key}`],
      ["cp", `media/${key}`, `media/${freshKey()}`],
    ]) {
      const run = await ssecHere(args, "ALL_TOKEN", url);
      expect({ args, status: run.status }).toEqual({ args, status: 1 });
      expect(run.stderr).toContain("where no key may go");
    }
    expect(seen).toEqual([]);
  });
});

test("a token or an address that is none is told so, and not shown", async () => {
  for (const token of ["abc def", "abc\ndef", "ü"]) {
    const { status, stderr } = await ssecHere(["ls", "media"], token);
    expect({ token, status }).toEqual({ token, status: 1 });
    expect(stderr).toContain("SSEC_TOKEN is no token");
    expect(stderr).not.toContain(token);
  }
  for (const url of ["edge", "ftp://127.0.0.1", "http://me:hidden@127.0.0.1:9"]) {
    const { status, stderr } = await ssecHere(["ls", "media"], "ALL_TOKEN", url);
    expect({ url, status }).toEqual({ url, status: 1 });
    expect(stderr).toMatch(/--url is not the Worker's address/);
    expect(stderr).not.toContain("hidden");
  }
});

describe("proxies", { timeout: 60_000 }, () => {
  const passed: string[] = [];
  const startProxy = async () => {
    passed.length = 0;
    const { url, server } = await serve((request, response) => {
      passed.push(`${request.method} ${new URL(request.url ?? "").pathname}`);
      const { method, headers, url = "" } = request;
      const onward = httpRequest(url, { method, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    server.on("connect", ({ url = "" }, socket) => {
      passed.push(`CONNECT ${url}`);
      const [host, port] = url.split(":");
      const onward = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(onward).pipe(socket);
      });
      for (const end of [socket, onward]) end.on("error", () => socket.destroy());
    });
    return url;
  };
  const { host } = new URL(api);
  const run = (key: string, env: Record<string, string>) => {
    const clean = {
      HTTP_PROXY: "",
      http_proxy: "",
      HTTPS_PROXY: "",
      https_proxy: "",
      NO_PROXY: "",
      no_proxy: "",
    };
    const token = { SSEC_TOKEN: secrets.ALL_TOKEN ?? "" };
    return startSsec(["--url", api, "get", `media/${key}`, "-"], { ...clean, ...token, ...env }).ended;
  };

  test("of the environment are kept to, and so is NO_PROXY", { tags: ["thorough"] }, async () => {
    const key = freshKey();
    await put("media", key, "through");
    const proxy = await startProxy();
    expect(await run(key, { HTTP_PROXY: proxy })).toMatchObject({ status: 0, stdout: "through" });
    // What goes to the Worker and what goes to the store.
    expect(passed).toContain(`CONNECT ${host}`);
    expect(passed).toContainEqual(expect.stringMatching(/^(HEAD|GET) \/media\//));

    passed.length = 0;
    expect(await run(key, { http_proxy: proxy, no_proxy: "127.0.0.1" })).toMatchObject({ status: 0 });
    expect(await run(key, { HTTPS_PROXY: proxy })).toMatchObject({ status: 0 });
    expect(passed).toEqual([]);
  });

  test("that are not up are named as what may be wrong, without a password", async () => {
    for (const proxy of ["http://me:hidden@127.0.0.1:9", "nonsense://me:hidden@"]) {
      const { status, stderr } = await run("x", { HTTP_PROXY: proxy });
      expect(status).toBe(1);
      expect(stderr).toContain("HTTP_PROXY");
      expect(stderr).not.toContain("hidden");
    }
  });
});

test(
  "Ctrl-C, once or twice, leaves no half file under the name",
  { tags: ["thorough"], timeout: 60_000 },
  async () => {
    const key = freshKey();
    await put("media", key, randomBytes(1000));
    let asked: () => void = () => {};
    // A store that begins, and goes on with nothing.
    const { url: stalled } = await serve(({ method }, response) => {
      response.writeHead(200, { "content-length": "1000", etag: '"x"', "x-amz-version-id": "v" });
      if (method === "HEAD") response.end();
      else response.write("half", () => asked());
    });
    const { url } = await startDisguised((_, answer) => {
      const { url, ...rest } = answer as { url?: string };
      return { ...rest, ...(url && { url: url.replace(/^http:\/\/[^/]+/, stalled) }) };
    });
    for (const times of [1, 2]) {
      const path = join(dir, `cut-${times}`);
      const begun = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const env = { SSEC_TOKEN: secrets.ALL_TOKEN ?? "", XDG_STATE_HOME: dir };
      const running = startSsec(["--url", url, "get", `media/${key}`, path], env);
      await begun;
      for (let i = 0; i < times; i++) running.child.kill("SIGINT");
      const { status, stderr } = await running.ended;
      expect({ status, stderr }).toEqual({
        status: 130,
        stderr: "ssec: cut off; the same command with --resume goes on\n",
      });
      expect(existsSync(path)).toBe(false);
    }
    // And the next run begins anew, without being told that another is at it.
    const path = join(dir, "cut-1");
    expect(await ssecHere(["get", `media/${key}`, path])).toMatchObject({ status: 0 });
    expect(readFileSync(path)).toHaveLength(1000);
  },
);

describe("a store that is presigned no writes", { tags: ["thorough"], timeout: 120_000 }, () => {
  let worker: RunningWorker | undefined;
  afterAll(() => worker?.close());

  test("is written to through the edge, by put and by cp", async () => {
    const { STORES, ...rest } = oneBucket(store);
    worker = await startTestWorker({
      env: {
        ...rest,
        STORES: { main: { ...STORES.main, presignedUploads: false } },
        CALLERS: {
          me: {
            token: "TOKEN",
            grants: [{ bucket: "media", prefix: "", allow: ["read", "write", "delete"] }],
          },
        },
        TOKEN: secrets.ALL_TOKEN,
      },
      without: ["DB", "QUEUE", "RATE_LIMIT"],
    });
    const { url } = worker;
    for (const size of [0, 1000, 9 * 2 ** 20]) {
      const bytes = randomBytes(size);
      const file = join(dir, `edge-${size}`);
      writeFileSync(file, bytes);
      const key = freshKey();
      const up = await ssecHere(["put", file, `media/${key}`, "--meta", "by=me"], "ALL_TOKEN", url);
      expect(up.status, up.stderr).toBe(0);
      const copied = await ssecHere(["cp", `media/${key}`, `media/${key}.copy`], "ALL_TOKEN", url);
      expect(copied.status, copied.stderr).toBe(0);
      expect(copied.stdout).toContain("through this machine");
      const down = await ssecHere(["get", `media/${key}.copy`, "-"], "ALL_TOKEN", url);
      expect(down.bytes.equals(bytes), down.stderr).toBe(true);
      const { stdout } = await ssecHere(["head", `media/${key}.copy`, "--json"], "ALL_TOKEN", url);
      expect(JSON.parse(stdout).metadata).toMatchObject({ by: "me" });
    }
  });
});
