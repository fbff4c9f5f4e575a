/** From a request to its operation: who asks is verified first, then one table says which handler answers. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as buckets from "./buckets.ts";
import type { Call, Store } from "./call.ts";
import { applyCors } from "./cors.ts";
import { S3Error } from "./errors.ts";
import { authorize } from "./evaluate.ts";
import { listObjects } from "./list.ts";
import * as multipart from "./multipart.ts";
import * as objects from "./objects.ts";
import type { Action } from "./policy.ts";
import { postObject } from "./post-form.ts";
import { verify } from "./sigv4.ts";
import { refuseSse } from "./ssec.ts";
import { type Target, targetOf } from "./target.ts";
import { xml } from "./xml.ts";

type Handler = (call: Call) => Promise<void>;

/**
 * METHOD and the query parameter that makes it another operation, for the service, a bucket and an object; with what a
 * bucket policy calls it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
const OPERATIONS: Readonly<
  Record<"service" | "bucket" | "object", Readonly<Record<string, [Handler, Action]>>>
> = {
  service: { GET: [buckets.listBuckets, "s3:ListAllMyBuckets"] },
  bucket: {
    PUT: [buckets.createBucket, "s3:CreateBucket"],
    HEAD: [buckets.headBucket, "s3:ListBucket"],
    DELETE: [buckets.deleteBucket, "s3:DeleteBucket"],
    GET: [listObjects, "s3:ListBucket"],
    "GET location": [buckets.getBucketLocation, "s3:GetBucketLocation"],
    "GET uploads": [multipart.listMultipartUploads, "s3:ListBucketMultipartUploads"],
    "PUT cors": [buckets.putBucketCors, "s3:PutBucketCORS"],
    "GET cors": [buckets.getBucketCors, "s3:GetBucketCORS"],
    "DELETE cors": [buckets.deleteBucketCors, "s3:PutBucketCORS"],
    "PUT policy": [buckets.putBucketPolicy, "s3:PutBucketPolicy"],
    "GET policy": [buckets.getBucketPolicy, "s3:GetBucketPolicy"],
    "DELETE policy": [buckets.deleteBucketPolicy, "s3:DeleteBucketPolicy"],
  },
  object: {
    PUT: [objects.putObject, "s3:PutObject"],
    GET: [objects.getObject, "s3:GetObject"],
    HEAD: [objects.getObject, "s3:GetObject"],
    DELETE: [objects.deleteObject, "s3:DeleteObject"],
    "POST uploads": [multipart.createMultipartUpload, "s3:PutObject"],
    "PUT uploadId": [uploadPart, "s3:PutObject"],
    "GET uploadId": [multipart.listParts, "s3:ListMultipartUploadParts"],
    "POST uploadId": [multipart.completeMultipartUpload, "s3:PutObject"],
    "DELETE uploadId": [multipart.abortMultipartUpload, "s3:AbortMultipartUpload"],
  },
};

/** Query parameters that select an operation, known to the store or not. */
const SELECTORS =
  /^(accelerate|acl|analytics|annotation|attributes|cors|delete|encryption|intelligent-tiering|inventory|legal-hold|lifecycle|location|logging|metrics|notification|object-lock|ownershipControls|policy|policyStatus|publicAccessBlock|renameObject|replication|requestPayment|restore|retention|select|tagging|torrent|uploadId|uploads|versionId|versioning|versions|website)$/;

async function uploadPart(call: Call): Promise<void> {
  return call.headers["x-amz-copy-source"] === undefined
    ? multipart.uploadPart(call)
    : multipart.uploadPartCopy(call);
}

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
  const { method, bucket, key, query } = target;
  refuseSse(query, "in the query: they are headers");
  const { headers } = request;
  const unsigned = { ...target, store, request, response, headers };
  const isForm =
    method === "POST" &&
    bucket !== "" &&
    key === "" &&
    /^multipart\/form-data/i.test(headers["content-type"] ?? "");
  if (isForm) {
    requireBucket(store, bucket);
    return postObject(unsigned);
  }
  const payload = await verify(target, headers, store.verifier);
  const level = bucket === "" ? "service" : key === "" ? "bucket" : "object";
  const selector = Object.keys(query).find((name) => SELECTORS.test(name));
  const operation = OPERATIONS[level][selector === undefined ? method : `${method} ${selector}`];
  if (operation === undefined)
    throw new S3Error("NotImplemented", "This operation is not implemented by the development store.");
  const [handler, action] = operation;
  if (handler !== buckets.createBucket && level !== "service") requireBucket(store, bucket);
  authorize(store, { action, bucket, key, named: headers });
  if (headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  return handler({ ...unsigned, payload });
}

function requireBucket({ database }: Store, bucket: string): void {
  if (!database.hasBucket(bucket)) throw new S3Error("NoSuchBucket", "The specified bucket does not exist");
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
    response.writeHead(known.status);
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
