/**
 * What `hc<AppType>` demands and promises, for every route below /v1. Nothing here is run: `npm run check` compiles it
 * against the sources, and the suite of the package against the types that are published.
 */

import { hc } from "hono/client";
import type { ExtractSchema } from "hono/types";
import type { AppType, ProblemDetails } from "../../src/index.ts";

const { v1 } = hc<AppType>("https://edge.example.com/files", { headers: { authorization: "Bearer t" } });
const object = { bucket: "media", key: "a/ü.txt" };

/** Fails to compile where the two are not the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
const same = <A, B>(_: Same<A, B>) => {};

export async function presigning() {
  const put = await v1.presign.$post({
    json: { operation: "PutObject", ...object, contentType: "text/plain", metadata: { a: "b" }, via: "edge" },
  });
  const { url, method, headers, expiresAt } = await put.json();
  same<typeof url, string>(true);
  await fetch(url, { method, ...(headers && { headers }) });
  same<typeof expiresAt, string>(true);
  await v1.presign.$post({
    json: { operation: "PostObject", bucket: "media", keyPrefix: "in/", maxBytes: 5 },
  });
  await v1.presign.$post({ json: { operation: "UploadPart", ...object, uploadId: "u", partNumber: 1 } });
  // @ts-expect-error: a part has a number
  await v1.presign.$post({ json: { operation: "UploadPart", ...object, uploadId: "u" } });
  // @ts-expect-error: nothing is read by a content type
  await v1.presign.$post({ json: { operation: "GetObject", ...object, contentType: "text/plain" } });
  // @ts-expect-error: only four operations have links of the edge
  await v1.presign.$post({ json: { operation: "ListParts", ...object, uploadId: "u", via: "edge" } });
  // @ts-expect-error: there is no such operation
  await v1.presign.$post({ json: { operation: "Put", ...object } });
  // @ts-expect-error: something must be asked
  await v1.presign.$post();

  const batch = await v1.presign.batch.$post({ json: { requests: [{ operation: "GetObject", ...object }] } });
  for (const result of (await batch.json()).results) {
    if ("problem" in result) same<typeof result.problem.code, ProblemDetails["code"]>(true);
    else same<typeof result.url, string>(true);
  }
  // @ts-expect-error: a list of requests
  await v1.presign.batch.$post({ json: [{ operation: "GetObject", ...object }] });
}

export async function multipart() {
  const begun = await v1.multipart.$post({ json: { ...object, size: 6_000_000, contentType: "text/plain" } });
  const { keyId, uploadId, partSize, partCount } = await begun.json();
  same<typeof partCount, number | undefined>(true);
  const upload = { ...object, keyId, uploadId };
  const signed = await v1.multipart.sign.$post({ json: { ...upload, partNumbers: [1, 2], partSize } });
  const [first] = (await signed.json()).parts;
  if (first) same<[typeof first.url, typeof first.method], [string, Method]>(true);
  const listed = await (await v1.multipart.parts.$post({ json: upload })).json();
  const parts = listed.parts.map(({ partNumber, etag }) => ({ partNumber, etag }));
  const done = await (await v1.multipart.complete.$post({ json: { ...upload, parts } })).json();
  same<typeof done, { etag: string; size: number; keyId: string }>(true);
  const aborted = await v1.multipart.abort.$post({ json: { ...object, uploadId } });
  same<typeof aborted.status, 204>(true);
  // @ts-expect-error: parts have their ETags
  await v1.multipart.complete.$post({ json: { ...upload, parts: [{ partNumber: 1 }] } });
  // @ts-expect-error: what is unknown is refused
  await v1.multipart.$post({ json: { ...object, length: 5 } });
}
type Method = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

export async function objects() {
  const { ":bucket": bucket } = v1.objects;
  const list = await bucket.$get({ param: { bucket: "media" }, query: { prefix: "a/", limit: "10" } });
  const { objects, prefixes, cursor } = await list.json();
  same<(typeof objects)[number], { key: string; size: number; etag: string; lastModified: string }>(true);
  same<typeof cursor, string | undefined>(true);
  same<typeof prefixes, readonly string[] | undefined>(true);
  await bucket.$get({ param: { bucket: "media" } });
  // @ts-expect-error: a query is text
  await bucket.$get({ param: { bucket: "media" }, query: { limit: 10 } });
  // @ts-expect-error: it is `prefix`
  await bucket.$get({ param: { bucket: "media" }, query: { prefixes: "a" } });
  await bucket.$delete({ param: { bucket: "media" }, query: { key: "../x" } });
  // @ts-expect-error: an object is named
  await bucket.$delete({ param: { bucket: "media" } });
  const one = bucket[":key{[^]*}"];
  const put = await (await one.$put({ param: object }, { init: { body: "text" } })).json();
  same<typeof put.size, number>(true);
  same<typeof put.versionId, string | undefined>(true);
  const got = await one.$get({ param: object, query: { "response-content-type": "text/plain" } });
  got.body?.getReader();
  // @ts-expect-error: there is no such override
  await one.$get({ param: object, query: { "response-etag": "x" } });
  await one.$delete({ param: object, query: { versionId: "v" } });

  const verified = await (await v1.verify.$post({ json: object })).json();
  same<typeof verified.encrypted, boolean>(true);
  if ("keyId" in verified) same<typeof verified.keyId, string>(true);
  // @ts-expect-error: which object
  await v1.verify.$post({ json: { bucket: "media" } });
}

export async function administering() {
  const { caller, subject, grants } = await (await v1.me.$get()).json();
  same<[typeof caller, typeof subject], [string, string | undefined]>(true);
  same<(typeof grants)[number]["allow"][number], "read" | "write" | "delete" | "admin">(true);
  const [key] = (await (await v1.keys.$get()).json()).keys;
  same<NonNullable<typeof key>["mode"], "shared" | "derived">(true);
  const trail = await (await v1.audit.$get({ query: { outcome: "denied", since: "2026-11-01" } })).json();
  same<(typeof trail.events)[number]["outcome"], "allowed" | "denied" | "failed">(true);
  // @ts-expect-error: there is no such outcome
  await v1.audit.$get({ query: { outcome: "refused" } });
  const used = await (await v1.audit.keys[":keyId"].objects.$get({ param: { keyId: "k1" } })).json();
  same<(typeof used.objects)[number]["confirmed"], boolean>(true);
  const summary = await (await v1.audit.summary.$get()).json();
  same<typeof summary.outcome, Record<string, number>>(true);
  const report = { operation: "PutObject", ...object, code: "SignatureDoesNotMatch" } as const;
  await v1.reports.$post({ json: report });
  // @ts-expect-error: of an operation
  await v1.reports.$post({ json: { ...object, code: "SignatureDoesNotMatch" } });
  const credentials = await (await v1.s3.credentials.$post({ json: { expiresIn: 900 } })).json();
  if ("sessionToken" in credentials) same<typeof credentials.sessionToken, string>(true);
  else same<typeof credentials.Version, number>(true);
}

export async function rotations() {
  const begun = await v1.rotations.$post({ json: { bucket: "media", dryRun: true } });
  same<typeof begun.status, 202>(true);
  const { id, state, found } = await begun.json();
  same<typeof state, "running" | "done" | "failed" | "cancelled">(true);
  same<typeof found, { readonly [x: string]: number }>(true);
  const one = v1.rotations[":id"];
  const { errors, cursor } = await (await one.errors.$get({ param: { id }, query: { limit: "5" } })).json();
  same<[(typeof errors)[number]["code"], typeof cursor], [string, string | undefined]>(true);
  for (const answer of [await one.$get({ param: { id } }), await one.resume.$post({ param: { id } })])
    same<Awaited<ReturnType<typeof answer.json>>["listed"], number>(true);
  await one.$delete({ param: { id } });
  await v1.rotations.$get({ query: { bucket: "media" } });
  // @ts-expect-error: it is `dryRun`
  await v1.rotations.$post({ json: { bucket: "media", dry: true } });
}

export async function gitLfs() {
  const { objects } = v1.lfs[":bucket"];
  const files = [{ oid: "0".repeat(64), size: 5 }];
  const batch = await objects.batch.$post({
    param: { bucket: "media" },
    json: { operation: "upload", objects: files },
  });
  const [file] = (await batch.json()).objects;
  const message = file?.error?.message;
  same<typeof message, string | undefined>(true);
  // @ts-expect-error: up or down
  await objects.batch.$post({ param: { bucket: "media" }, json: { operation: "lock", objects: files } });
  await objects.verify.$post({ param: { bucket: "media" }, json: { oid: "0".repeat(64), size: 5 } });
}

export async function uppy() {
  const { sign } = v1.uppy[":bucket"];
  const bucket = { bucket: "media" };
  const part = { method: "PUT", key: "a", uploadId: "u", partNumber: 1, size: 5 } as const;
  const { url } = await (await sign.$post({ param: bucket, json: part })).json();
  same<typeof url, string>(true);
  // @ts-expect-error: Uppy asks for no other method
  await sign.$post({ param: bucket, json: { ...part, method: "PATCH" } });
}

/** What an answer is instead, where it is not `ok`. */
export async function problems() {
  const answer = await v1.verify.$post({ json: object });
  if (answer.ok) return;
  const problem = (await answer.json()) as unknown as ProblemDetails;
  same<typeof problem.title, string>(true);
  // @ts-expect-error: there is no such code
  if (problem.code === "gone") return;
}

type Routes = ExtractSchema<AppType>;
/** Routes whose answers have no type, as no JSON has. */
type Untyped = {
  [Path in keyof Routes]: {
    [Method in keyof Routes[Path]]: Routes[Path][Method] extends { output: infer Output }
      ? unknown extends Output
        ? Path
        : Record<never, never> extends Output
          ? Path
          : never
      : never;
  }[keyof Routes[Path]];
}[Extract<keyof Routes, `/v1/${string}`>];
same<Untyped, "/v1/objects/:bucket/:key{[^]*}">(true);
