/**
 * As much of Cloudflare's API, on loopback, as wrangler asks of it here: Workers, their secrets, queues, and D1 on a
 * real SQLite. Wrangler itself is the real one, pointed here by CLOUDFLARE_API_BASE_URL.
 *
 * @see https://developers.cloudflare.com/api/
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { Hono } from "hono";

interface DeployedScript {
  /** Values by name. */
  readonly secrets: Map<string, string>;
  /** What was uploaded, whole; empty for a Worker that only has secrets yet. */
  upload: string;
}

export interface Cloudflare {
  /** What makes wrangler talk to it. */
  readonly env: Record<string, string>;
  readonly scripts: Map<string, DeployedScript>;
  readonly databases: Map<string, DatabaseSync>;
  readonly queues: Set<string>;
  /** Every request in order, as `GET /accounts/…`; without bodies, which may hold secrets. */
  readonly calls: string[];
  close(): Promise<void>;
}

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
/** Of an upload of assets: wrangler looks when it ends. */
const JWT = `${encoded({ alg: "none" })}.${encoded({ exp: 4_102_444_800 })}.`;

export async function startCloudflare(): Promise<Cloudflare> {
  const scripts = new Map<string, DeployedScript>();
  const databases = new Map<string, DatabaseSync>();
  const queues = new Set<string>();
  const calls: string[] = [];
  const app = api({ scripts, databases, queues });
  const server = createServer(async (request, response) => {
    calls.push(`${request.method} ${request.url}`);
    const answer = await app.request(`http://api${request.url}`, await init(request));
    response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    env: {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      CLOUDFLARE_API_TOKEN: "a-token-for-loopback",
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      CI: "true",
    },
    scripts,
    databases,
    queues,
    calls,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function api({ scripts, databases, queues }: Pick<Cloudflare, "scripts" | "databases" | "queues">): Hono {
  const ok = (result: unknown) =>
    Response.json({ success: true, errors: [], messages: [], result, result_info: { total_pages: 1 } });
  const fail = (status: number, code: number, message: string) =>
    Response.json({ success: false, errors: [{ code, message }], messages: [], result: null }, { status });
  const noWorker = () => fail(404, 10007, "This Worker does not exist on your account.");

  const queueOf = (name: string) => ({ queue_id: name, queue_name: name, producers: [], consumers: [] });

  return (
    new Hono()
      .basePath(`/accounts/${ACCOUNT}`)
      .get("/workers/scripts/:name/secrets", (c) => {
        const script = scripts.get(c.req.param("name"));
        if (script === undefined) return noWorker();
        return ok([...script.secrets.keys()].map((name) => ({ name, type: "secret_text" })));
      })
      .put("/workers/scripts/:name/secrets", async (c) => {
        const script = scripts.get(c.req.param("name"));
        if (script === undefined) return noWorker();
        const { name, text } = await c.req.json<{ name: string; text: string }>();
        script.secrets.set(name, text);
        return ok({ name, type: "secret_text" });
      })
      .patch("/workers/scripts/:name/secrets-bulk", async (c) => {
        const script = scripts.get(c.req.param("name"));
        if (script === undefined) return noWorker();
        const { secrets } = await c.req.json<{ secrets: Record<string, { name: string; text: string }> }>();
        for (const { name, text } of Object.values(secrets)) script.secrets.set(name, text);
        return ok([]);
      })
      // The first upload makes the Worker; secrets alone may do so as well.
      .put("/workers/scripts/:name", async (c) => {
        const name = c.req.param("name");
        scripts.set(name, { secrets: new Map(), upload: await c.req.text() });
        return ok({ id: name, startup_time_ms: 1, deployment_id: "1" });
      })
      // What a Worker serves comes before it, by the hashes of files that are not there yet; none is kept here.
      .post("/workers/scripts/:name/assets-upload-session", async (c) => {
        const { manifest } = await c.req.json<{ manifest: Record<string, { hash: string }> }>();
        return ok({ jwt: JWT, buckets: [Object.values(manifest).map(({ hash }) => hash)] });
      })
      .post("/workers/assets/upload", () => ok({ jwt: JWT }))
      .post("/workers/scripts/:name/versions", async (c) => {
        const script = scripts.get(c.req.param("name"));
        if (script === undefined) return noWorker();
        script.upload = await c.req.text();
        return ok({ id: "1", startup_time_ms: 1, resources: { script: { etag: "1" } } });
      })
      .post("/workers/scripts/:name/deployments", () => ok({ id: "1" }))
      .get("/workers/services/:name", (c) => {
        const name = c.req.param("name");
        return scripts.has(name)
          ? ok({ default_environment: { script: { last_deployed_from: "wrangler" } } })
          : noWorker();
      })
      .get("/workers/scripts/:name/deployments", () => ok({ deployments: [] }))
      .get("/workers/scripts/:name/settings", () => ok({ bindings: [] }))
      .patch("/workers/scripts/:name/script-settings", () => ok({}))
      .get("/workers/workers/:name", () => ok({ subdomain: { enabled: false } }))
      .patch("/workers/workers/:name", () => ok({ subdomain: { enabled: true } }))
      .post("/workers/scripts/:name/subdomain", () => ok({ enabled: true, previews_enabled: true }))
      .get("/workers/subdomain", () => ok({ subdomain: "acme" }))
      .put("/workers/scripts/:name/schedules", () => ok({}))
      .get("/d1/database/:name", (c) => {
        const name = c.req.param("name");
        return databases.has(name)
          ? ok({ uuid: name, name })
          : fail(404, 7404, "The database does not exist.");
      })
      .post("/d1/database", async (c) => {
        const { name } = await c.req.json<{ name: string }>();
        databases.set(name, new DatabaseSync(":memory:"));
        return ok({ uuid: name, name });
      })
      .post("/d1/database/:name/query", async (c) => {
        const database = databases.get(c.req.param("name"));
        if (database === undefined) return fail(404, 7404, "The database does not exist.");
        const { sql } = await c.req.json<{ sql: string }>();
        // All the statements of a migration are one query; only what begins with SELECT is asked for its rows.
        const isQuestion = /^\s*SELECT/i.test(sql);
        if (!isQuestion) database.exec(sql);
        return ok([{ results: isQuestion ? database.prepare(sql).all() : [], success: true, meta: {} }]);
      })
      .get("/queues", (c) => {
        const name = c.req.query("name");
        return ok([...queues].filter((queue) => name === undefined || queue === name).map(queueOf));
      })
      .post("/queues", async (c) => {
        const { queue_name } = await c.req.json<{ queue_name: string }>();
        if (queues.has(queue_name)) return fail(409, 11009, "Queue name is already taken.");
        queues.add(queue_name);
        return ok(queueOf(queue_name));
      })
      .get("/queues/:name/consumers", () => ok([]))
      .post("/queues/:name/consumers", () => ok({ consumer_id: "1" }))
      .notFound((c) => fail(404, 7003, `the stand-in has no ${c.req.method} ${c.req.path}`))
  );
}

async function init(request: IncomingMessage): Promise<RequestInit> {
  const chunks = await request.toArray();
  return {
    method: request.method ?? "GET",
    headers: request.headers as Record<string, string>,
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  };
}
