/** Sends the examples of the document as they stand, but for what only the service can have told before. */
import { OPERATIONS, type Operation, undescribed } from "./described.ts";

interface Service {
  readonly url: string;
  readonly token: string;
}

/** "hello world", whose SHA-256 the examples of Git LFS have. */
const FILE = "hello world";
const LFS_KEY = "b9/4d/b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
const OBJECT = { bucket: "media", key: "users/42/cat.jpg" };

export interface Sent {
  readonly name: string;
  readonly status: number;
  /** What of the answer is not described, where anything is not. */
  readonly fault: string | undefined;
}

/** Each example of a request, and each operation that takes nothing but its address. */
export async function sendExamples(service: Service): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (const { method, path, operation } of OPERATIONS.filter(({ path }) => /^\/(v1|healthz)/.test(path))) {
    const examples = operation.requestBody?.content["application/json"]?.examples ?? {
      plain: { value: undefined },
    };
    for (const [name, { value }] of Object.entries(examples)) {
      const known = await prepare(service, path);
      const json = value === undefined ? undefined : JSON.stringify(withKnown(value, known));
      const body = json ?? (operation.requestBody && FILE);
      const address = addressOf(path, operation, known);
      const answer = await send(service, method.toUpperCase(), address, body);
      const type = answer.headers.get("content-type") ?? undefined;
      const bytes = Buffer.from(await answer.arrayBuffer());
      const fault = undescribed(operation, { status: answer.status, type, body: bytes }, method);
      sent.push({ name: `${method} ${path} ${name}`, status: answer.status, fault });
    }
  }
  return sent;
}

/** What there must be before: objects, and an upload with a part, or a rotation. */
async function prepare(service: Service, path: string): Promise<Record<string, unknown>> {
  for (const key of [OBJECT.key, `lfs/${LFS_KEY}`, `repositories/cats/${LFS_KEY}`])
    await send(service, "PUT", `/v1/objects/media/${key}`, FILE);
  if (/^\/v1\/(multipart|uppy)\//.test(path)) return beginUpload(service);
  if (path.startsWith("/v1/rotations/{id}")) {
    const { id } = await told(service, "/v1/rotations", {
      bucket: "media",
      prefix: "nothing/",
      dryRun: true,
    });
    if (path.endsWith("/resume")) await send(service, "DELETE", `/v1/rotations/${id}`);
    return { id };
  }
  return {};
}

async function beginUpload(service: Service): Promise<Record<string, unknown>> {
  const { uploadId, keyId } = await told(service, "/v1/multipart", OBJECT);
  const upload = { ...OBJECT, uploadId, keyId };
  const { parts, headers } = await told(service, "/v1/multipart/sign", { ...upload, partNumbers: [1] });
  const [{ url = "" } = {}] = parts as { url?: string }[];
  const put = await fetch(url, { method: "PUT", headers: headers as Record<string, string>, body: FILE });
  return { uploadId, etag: put.headers.get("etag") };
}

/** An example, with ids and ETags that there are. */
function withKnown(value: unknown, known: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((each) => withKnown(each, known));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, known[name] ?? withKnown(each, known)]),
  );
}

function addressOf(path: string, { parameters = [] }: Operation, known: Record<string, unknown>): string {
  const valueOfParameter = ({ name, example }: { name: string; example?: string }) =>
    `${known[name] ?? example ?? OBJECT.key}`;
  const inPath = parameters.filter((each) => each.in === "path");
  const query = parameters.filter((each) => each.in === "query" && each.required);
  const address = inPath.reduce((url, each) => url.replace(`{${each.name}}`, valueOfParameter(each)), path);
  const asked = query.map((each) => `${each.name}=${encodeURIComponent(valueOfParameter(each))}`).join("&");
  return asked === "" ? address : `${address}?${asked}`;
}

async function told(service: Service, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await send(service, "POST", path, JSON.stringify(body));
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}

function send({ url, token }: Service, method: string, path: string, body?: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  return fetch(url + path, { method, headers, ...(body !== undefined && { body }) });
}
