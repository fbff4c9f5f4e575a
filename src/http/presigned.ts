/** A presigned URL and exactly what to send with it, for the routes that hand out such. */
import type { Caller } from "../auth/callers.ts";
import { isLimited, type Limits, limit } from "../auth/grants.ts";
import { requirePresignable } from "../auth/presigned-uploads.ts";
import type { Bucket, Config } from "../config/load.ts";
import { isAllowedOrigin } from "../config/origins.ts";
import { CopySources } from "../edge/copied.ts";
import type { AppContext } from "../front/context.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import type { Asker, Operating, Source } from "../objects/operate.ts";
import { Refused } from "../refused.ts";
import type { Sent } from "../s3/api/fields.ts";
import { keyedHeaders, together } from "../s3/api/keyed.ts";
import {
  OPERATIONS,
  type OperationName,
  type PresignRequest,
  requestSchemaOf,
  sentBy,
} from "../s3/api/operations.ts";
import { type PresignedForm, presignForm } from "../s3/sign/post-policy.ts";
import { expiryOf, type Presigned, presign, type SigningOptions } from "../s3/sign/presign.ts";
import { WhichKey } from "../s3/store/which-key.ts";
import type { SnippetLanguage } from "../snippets/index.ts";
import { valid } from "./body.ts";
import type { EdgeLinks } from "./edge-link.ts";

/**
 * The answer: the request repeated, and a URL with `headers` to send, or `fields` of a form. What is undefined, its JSON
 * leaves out.
 */
export interface Answer {
  readonly operation: OperationName;
  readonly bucket: string;
  readonly key: string | undefined;
  readonly keyPrefix: string | undefined;
  readonly keyId: string | undefined;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly fields: Readonly<Record<string, string>> | undefined;
  /** To be sent as it stands, where the request says what it holds. */
  readonly body: string | undefined;
  readonly expiresAt: string;
  readonly snippet: string | undefined;
}

/** What all requests of one HTTP request share. */
export interface BatchAsker extends Asker {
  readonly c: AppContext;
  /** Made for the first that asks for one. */
  edgeLinks?: EdgeLinks;
  readonly requestId: string;
  readonly copySources: CopySources;
  /** One for all: the log tells once what events have in common, and has no room for 1000 different ends. */
  readonly signingDate: Date;
}

export function askerOf(c: AppContext): BatchAsker {
  const { service, caller, trail, requestId } = c.var;
  const whichKey = new WhichKey(service);
  const copySources = new CopySources();
  return { service, caller, trail, requestId, whichKey, copySources, c, signingDate: new Date() };
}

export const permission = ({ operation }: PresignRequest) => OPERATIONS[operation].permission;

export async function presignOne(operating: Operating<PresignRequest>, asker: BatchAsker): Promise<Answer> {
  const { request, bucket, grants, source, draft } = operating;
  if (request.via === "edge") return atEdge(operating, asker);
  const { caller, copySources, signingDate } = asker;
  const { config } = asker.service;
  const { operation } = request;
  requirePresignable(operation, bucket);
  checkRedirect(request, caller, config);
  let limits = limit(request, grants, config.defaultExpiresIn);

  const { customerKey } = OPERATIONS[operation];
  const key = customerKey === "none" ? undefined : await operating.key(customerKey);
  const credentials = await operating.credentials();
  const sent = sentBy(operation, request);
  const sourceKey =
    source &&
    (await operating.underSource(source, async (found) => {
      if (!isLimited(grants)) return found;
      const copied = await copySources.copied(request, source, found, credentials);
      const { length: contentLength, field, ifSourceMatch } = copied;
      limits = limit({ ...request, contentLength }, grants, config.defaultExpiresIn, field);
      if (ifSourceMatch !== undefined) sent.headers["x-amz-copy-source-if-match"] = ifSourceMatch;
      draft.bytes = contentLength;
      return found;
    }));

  const signing = {
    credentials,
    signingDate,
    expiresIn: limits.expiresIn,
  };
  const presigned = sign(request, sent, { bucket, key, source, sourceKey, limits }, signing);

  const { keyPrefix, snippet: language } = request;
  const { method, url } = presigned;
  const expiresAt = expiryOf(signing);
  draft.expiresAt = expiresAt;
  // Field by field: a copy by `...` costs far more.
  return {
    operation,
    bucket: request.bucket,
    key: keyPrefix === undefined ? request.key : undefined,
    keyPrefix,
    keyId: key?.id,
    method,
    url,
    headers: "headers" in presigned ? presigned.headers : undefined,
    fields: "fields" in presigned ? presigned.fields : undefined,
    body: sent.body,
    expiresAt,
    snippet: language && (await snippetOf(language, request, { ...presigned, body: sent.body })),
  };
}

/** Whether the object is there, and under which key it lies, is found out when the link is used. */
async function atEdge(
  { request, grants, draft }: Operating<PresignRequest>,
  asker: BatchAsker,
): Promise<Answer> {
  draft.via = "edge";
  const { operation, bucket, key, keyId, expiresIn: asked, snippet: language } = request;
  if (keyId !== undefined)
    throw Refused.field("keyId", 'is not for via "edge": the key is chosen when the link is used');
  const { expiresIn } = limit(request, grants, asker.service.config.defaultExpiresIn);
  const { EdgeLinks } = await import("./edge-link.ts");
  asker.edgeLinks ??= new EdgeLinks(asker.c);
  const { method: by } = OPERATIONS[operation];
  const linked = { method: by, bucket, key, ...sentBy(operation, request), limits: request };
  const link = await asker.edgeLinks.link(linked, asked, expiresIn);
  draft.expiresAt = link.expiresAt;
  const { method, url, headers, expiresAt } = link;
  return {
    operation,
    bucket,
    key,
    keyPrefix: undefined,
    keyId: undefined,
    method,
    url,
    headers,
    fields: undefined,
    body: undefined,
    expiresAt,
    snippet: language && (await snippetOf(language, request, { method, url, headers, body: undefined })),
  };
}

/** @throws {Refused} invalid-request, with every field at fault */
export function parse(input: unknown, operation: OperationName): PresignRequest {
  const request = valid(requestSchemaOf(operation), input);
  const fault = OPERATIONS[operation].fault?.(request);
  if (fault !== undefined) throw Refused.fields([fault]);
  return request;
}

/** Users of an app may send a browser only to the app; a partner's server knows its own pages. */
function checkRedirect(
  { successActionRedirect: url }: PresignRequest,
  { subject }: Caller,
  { allowedOrigins }: Config,
): void {
  if (url === undefined || subject === undefined) return;
  if (isAllowedOrigin(allowedOrigins, new URL(url).origin)) return;
  throw Refused.field("successActionRedirect", "must lead to an origin of ALLOWED_ORIGINS");
}

interface Parts {
  readonly bucket: Bucket;
  readonly key: CustomerKey | undefined;
  readonly source: Source | undefined;
  readonly sourceKey: CustomerKey | undefined;
  readonly limits: Limits;
}

/** Few ask for one: what writes them is loaded when somebody does. */
async function snippetOf(
  language: SnippetLanguage,
  { operation, key, keyPrefix, contentTypePrefix }: PresignRequest,
  presigned: (Presigned | PresignedForm) & { body: string | undefined },
): Promise<string> {
  const { snippet } = await import("../snippets/index.ts");
  return snippet(language, { operation, key: keyPrefix ?? key, contentTypePrefix, ...presigned });
}

function sign(
  request: PresignRequest,
  { headers, query }: Sent,
  { bucket, key, source, sourceKey, limits }: Parts,
  signing: SigningOptions,
): Presigned | PresignedForm {
  const { method, query: own, sized } = OPERATIONS[request.operation];
  const named = source && { ...source, storeBucket: source.bucket.storeBucket };
  const all = keyedHeaders(headers, { key, source: named, sourceKey });
  if (sized === "form") {
    const { keyPrefix, contentTypePrefix, minBytes } = request;
    const formKey = keyPrefix === undefined ? { exactly: request.key } : { startsWith: keyPrefix };
    const { maxBytes } = limits;
    return presignForm({ bucket, key: formKey, fields: all, contentTypePrefix, minBytes, maxBytes }, signing);
  }
  return presign({ method, bucket, key: request.key, headers: all, query: together(query, own) }, signing);
}
