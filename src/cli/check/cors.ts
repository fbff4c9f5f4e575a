/** Whether pages of ALLOWED_ORIGINS may use presigned URLs, asked as their browsers ask. */
import { sampleOrigin } from "../../config/origins.ts";
import { ALGORITHM_HEADER, KEY_HEADER, KEY_MD5_HEADER } from "../../keys/headers.ts";
import { nextCommand } from "../terminal.ts";
import type { StoreClient } from "./client.ts";
import type { Answer } from "./http.ts";
import { bad, type Outcome, off, ok, warn } from "./report.ts";

/** What a page sends, and by which methods. */
const METHODS = ["GET", "PUT"] as const;
const SENT = ["content-type", ALGORITHM_HEADER, KEY_HEADER, KEY_MD5_HEADER].map((name) => name.toLowerCase());
/** What a page must be able to read: whether the object is encrypted, and the ETag of a part. */
const READ = ["etag", ALGORITHM_HEADER];

export async function cors(store: StoreClient, name: string, origins: readonly string[]): Promise<Outcome> {
  if (origins.length === 0) return off("ALLOWED_ORIGINS is empty: no page of another origin may call");
  const { name: bucket } = store.reach.bucket;
  const command = nextCommand(
    "cors",
    bucket,
    ...origins.flatMap((origin) => ["--origin", origin]),
    "--apply",
  );
  const faults = await Promise.all(origins.map((origin) => faultOf(store, name, sampleOrigin(origin))));
  const [fault] = faults.filter((each) => each !== undefined);
  if (fault !== undefined)
    return bad(fault, "Browsers will keep pages from the store until its bucket allows them:", command);
  const hidden = await Promise.all(origins.map((origin) => hiddenFrom(store, name, sampleOrigin(origin))));
  const [headers] = hidden.filter(({ length }) => length > 0);
  if (headers === undefined) return ok(`${origins.join(", ")} may GET and PUT`);
  return warn(
    `pages may not read ${headers.join(", ")}`,
    "They cannot see whether an upload was encrypted until the bucket exposes it:",
    command,
  );
}

async function faultOf(store: StoreClient, key: string, origin: string): Promise<string | undefined> {
  const faults = await Promise.all(
    METHODS.map(async (method) => {
      const { url } = store.presign({ method, key });
      const headers = {
        origin,
        "access-control-request-method": method,
        "access-control-request-headers": SENT.join(","),
      };
      const answer = await store.send({ method: "OPTIONS", url, headers });
      return allows(answer, origin, method) ? undefined : `${origin} may not ${method} (${answer.status})`;
    }),
  );
  return faults.find((fault) => fault !== undefined);
}

function allows(answer: Answer, origin: string, method: string): boolean {
  const allowed = answer.headers["access-control-allow-origin"];
  const methods = list(answer, "access-control-allow-methods");
  const headers = list(answer, "access-control-allow-headers");
  return (
    answer.status < 300 &&
    (allowed === "*" || allowed === origin) &&
    (methods.includes("*") || methods.includes(method.toLowerCase())) &&
    (headers.includes("*") || SENT.every((name) => headers.includes(name)))
  );
}

async function hiddenFrom(store: StoreClient, key: string, origin: string): Promise<string[]> {
  const { method, url, headers } = store.presign({ method: "GET", key });
  const exposed = list(
    await store.send({ method, url, headers: { ...headers, origin } }),
    "access-control-expose-headers",
  );
  return exposed.includes("*") ? [] : READ.filter((name) => !exposed.includes(name));
}

function list({ headers }: Answer, name: string): string[] {
  return String(headers[name] ?? "")
    .split(",")
    .map((each) => each.trim().toLowerCase());
}
