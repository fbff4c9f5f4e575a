/** From a request to its answer: who asks is verified first, then operations.ts says which handler it is for. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Store } from "./call.ts";
import { applyCors } from "./cors.ts";
import { S3Error } from "./errors.ts";
import { authorize } from "./evaluate.ts";
import { operationOf } from "./operations.ts";
import { checkExpectedOwner } from "./owner.ts";
import { postObject } from "./post-form.ts";
import { verify } from "./sigv4.ts";
import { refuseSse } from "./ssec.ts";
import { type Target, targetOf } from "./target.ts";
import { xml } from "./xml.ts";

export async function handle(
  store: Store,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  response.setHeader("x-amz-request-id", requestId);
  try {
    const target = targetOf(request, store.hostnames);
    const rules = JSON.parse(store.database.setting(target.bucket, "cors") ?? "[]");
    const allowed = applyCors(rules, request, response);
    if (request.method === "OPTIONS") preflight(allowed, response);
    else await route(store, target, request, response);
  } catch (error) {
    await refuse(error, requestId, request, response);
  }
}

async function route(
  store: Store,
  target: Target,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { bucket, key, query } = target;
  refuseSse(query, "in the query: they are headers");
  const unsigned = { ...target, store, request, response, headers: request.headers };
  if (isForm(target, request)) {
    requireBucket(store, bucket);
    return postObject(unsigned);
  }
  const verified = await verify(target, request.headers, store.verifier);
  const headers = { ...hoisted(query), ...request.headers };
  checkExpectedOwner(headers);
  const { handler, action } = operationOf(target);
  if (action !== "s3:CreateBucket" && bucket !== "") requireBucket(store, bucket);
  if (action !== undefined) authorize(store, { action, bucket, key, named: headers });
  if (headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  return handler({ ...unsigned, headers, ...verified });
}

function isForm({ method, bucket, key }: Target, { headers }: IncomingMessage): boolean {
  const type = headers["content-type"] ?? "";
  return method === "POST" && bucket !== "" && key === "" && /^multipart\/form-data/i.test(type);
}

/** What S3 takes from a presigned URL as if it were a header: x-amz-*, but for the signature's own. */
function hoisted(query: Target["query"]): Record<string, string> {
  if (!("X-Amz-Signature" in query)) return {};
  const entries = Object.entries(query).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(
    entries.filter(
      ([name]) =>
        /^x-amz-/.test(name) &&
        !/^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)$/.test(
          name,
        ),
    ),
  );
}

function requireBucket({ database }: Store, bucket: string): void {
  if (database.hasBucket(bucket)) return;
  throw new S3Error("NoSuchBucket", "The specified bucket does not exist", { BucketName: bucket });
}

function preflight(allowed: boolean, response: ServerResponse): void {
  if (!allowed) throw new S3Error("AccessDenied", "CORSResponse: This CORS request is not allowed.");
  response.writeHead(200, { "content-length": 0 });
  response.end();
}

/** Says what went wrong; where the answer has begun, or the client has gone, the connection is all there is to end. */
async function refuse(
  error: unknown,
  requestId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const hasGone = request.destroyed && !request.complete;
  if (response.headersSent || hasGone || response.destroyed) {
    response.destroy();
    return;
  }
  const known = error instanceof S3Error ? error : unforeseen(error, requestId);
  if (!(await drain(request))) response.setHeader("connection", "close");
  if (known.status === 304 || request.method === "HEAD") {
    response.writeHead(known.status, known.headers);
    response.end();
    return;
  }
  const { code, message, more, status } = known;
  const resource = (request.url ?? "").split("?", 1)[0];
  const body = xml(
    "Error",
    { Code: code, Message: message, ...more, Resource: resource, RequestId: requestId },
    "",
  );
  response.writeHead(status, {
    ...known.headers,
    "content-type": "application/xml",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

/** A refused body that is read to its end, bytes. */
const MAX_DRAIN = 2 ** 20;

/**
 * Reads what is left of a small body, since a client that is still writing when the connection closes may miss the
 * refusal. One of 5 GiB is not waited for, nor one that the client holds back until it is asked to continue.
 *
 * @returns whether nothing is left
 */
async function drain(request: IncomingMessage): Promise<boolean> {
  if (request.complete || request.headers.expect !== undefined) return request.complete;
  request.unpipe();
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > MAX_DRAIN) return false;
    }
    return true;
  } catch {
    return false; // the client has gone
  }
}

function unforeseen(error: unknown, requestId: string): S3Error {
  console.error(`store: ${requestId}`, error);
  return new S3Error("InternalError", "We encountered an internal error. Please try again.");
}
