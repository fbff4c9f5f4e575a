/**
 * Whether headers that nobody signed change what a presigned upload does. SigV4 wants every x-amz-* header signed; there
 * are stores that take others as well (Ceph before 19.2.6 and 20.2.4, CVE-2026-54330; MinIO). There whoever holds the URL
 * of an upload adds x-amz-copy-source, and has the store copy what its credentials can read into their own prefix.
 */

import { copySourceKeyHeaders, customerKeyHeaders } from "../../keys/headers.ts";
import { copySourceHeader } from "../../s3/api/fields.ts";
import type { StoreClient } from "./client.ts";
import { type Answer, isDone, said } from "./http.ts";
import { getUnder, randomBody, type Trial, type TrialObject } from "./object.ts";
import { isMissing, isRefusal } from "./refusal.ts";
import { all, bad, byOperation, type Outcome, ok, warn } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import { isUpload, Upload } from "./upload.ts";
import { formOf } from "./ways.ts";

/** What becomes of what is added to the presigned requests of uploads. */
export interface Added {
  /** What took effect. */
  readonly taken: readonly Found[];
  /** What was neither taken nor refused. */
  readonly unclear: readonly Found[];
}

interface Found {
  readonly operation: "PUT" | "UploadPart" | "PostObject";
  readonly kind: "taken" | "ignored" | "refused" | "unclear";
  /** The header, and what the store said where that is no answer to it. */
  readonly what: string;
}

type Headers = Readonly<Record<string, string>>;

interface Addition {
  readonly name: string;
  readonly headers: Headers;
  /** Whether it took effect, of a request that was taken. */
  readonly tookEffect: (store: StoreClient, object: TrialObject, answer: Answer) => Promise<boolean>;
}

/**
 * @param source an object that is there under its key
 * @param trial makes throw-away objects, not written yet
 */
export async function tryAdded(
  store: StoreClient,
  scratch: Scratch,
  source: TrialObject,
  trial: Trial,
): Promise<Added> {
  const plain = await plainSource(scratch);
  const copies = copiesOf(store, source, plain);
  const found = await all([
    ...[...copies, ...MARKS].map((each, i) => put(store, scratch, trial(`added-${i}`), each)),
    ...copies.map((each, i) => part(store, scratch, trial(`added-part-${i}`), each)),
    ...[...copies, ...MARKS].map((each, i) => form(store, scratch, trial(`added-form-${i}`), each)),
  ]);
  const those = (kind: Found["kind"]) => found.filter((each) => each.kind === kind);
  return { taken: those("taken"), unclear: those("unclear") };
}

/** @param isClosed whether `presignedUploads = false` keeps presigned uploads from everybody */
export function addedOutcome({ taken, unclear }: Added, storeName: string, isClosed: boolean): Outcome {
  const off = `STORES.${storeName}.presignedUploads = false`;
  if (taken.length > 0) {
    const what = `taken although nobody signed them: ${byOperation(taken)}`;
    const holding = taken.some(({ operation }) => operation === "PostObject")
      ? "the edge"
      : "the edge or by PostObject, which hold";
    return isClosed
      ? warn(
          `${what}; ${off}, so no upload is presigned`,
          `Uploads go through ${holding}. What others presign with these credentials is open to it all the same. ${UPGRADE} ${WHAT_HELPS}`,
        )
      : bad(
          what,
          `Whoever holds a presigned upload adds x-amz-copy-source, and reads any object that the credentials reach. Set ${off}: uploads then go through ${holding}. ${UPGRADE} ${WHAT_HELPS}`,
        );
  }
  if (unclear.length > 0)
    return warn(
      `neither taken nor refused: ${byOperation(unclear)}`,
      `A refusal was due, 403: try again. If it stays so, set ${off}.`,
    );
  return ok("what nobody signed is refused, or does nothing");
}

export const UPGRADE =
  "Ceph: upgrade to 19.2.6 or 20.2.4, with rgw_sigv4_insecure = false. MinIO is archived and never mended it: its forks did.";
export const WHAT_HELPS =
  "Until then: derived keys (derive = true) keep what is read so closed to its reader, and credentials of its own for each tenant keep tenants apart.";

/** An object in the clear, where a policy allows it: some stores can copy no other. */
async function plainSource(scratch: Scratch): Promise<{ name: string; body: Uint8Array } | undefined> {
  const source = { name: scratch.name("added-source"), body: randomBody() };
  const wanted = { method: "PUT", key: source.name };
  const answer = await scratch.write(source.name, (store) => store.ask(wanted, source.body));
  return isDone(answer) ? source : undefined;
}

function copiesOf(
  store: StoreClient,
  source: TrialObject,
  plain: { name: string; body: Uint8Array } | undefined,
): Addition[] {
  const { storeBucket } = store.reach.bucket;
  const name = "x-amz-copy-source";
  const from = (key: string): Headers => ({ [name]: copySourceHeader(storeBucket, { key }) });
  const copied = (body: Uint8Array) => async (store: StoreClient, object: TrialObject, answer: Answer) =>
    /<Copy(Object|Part)Result/.test(answer.body.toString()) || (await gives(store, object, body));
  return [
    ...(plain ? [{ name, headers: from(plain.name), tookEffect: copied(plain.body) }] : []),
    // Some stores ask nobody for the key of a part's source, others do.
    { name, headers: from(source.name), tookEffect: copied(source.body) },
    {
      name,
      headers: { ...from(source.name), ...copySourceKeyHeaders(source.key) },
      tookEffect: copied(source.body),
    },
  ];
}

/** Whether the object has come to hold those bytes, encrypted or not. */
async function gives(store: StoreClient, { name, key }: TrialObject, body: Uint8Array): Promise<boolean> {
  const answers = await all([store.ask(getUnder(name, key)), store.ask(getUnder(name))]);
  return answers.some((answer) => isDone(answer) && answer.body.equals(body));
}

const seenInHead =
  (name: string, value: string): Addition["tookEffect"] =>
  async (store, object) =>
    (await store.ask({ ...getUnder(object.name, object.key), method: "HEAD" })).headers[name] === value;

/** What an upload can be marked with, and where it shows. */
const MARKS: readonly Addition[] = [
  {
    name: "x-amz-acl",
    headers: { "x-amz-acl": "public-read" },
    tookEffect: async (store, { name }) =>
      (await store.ask({ method: "GET", key: name, query: { acl: "" } })).body.includes("AllUsers"),
  },
  {
    name: "x-amz-tagging",
    headers: { "x-amz-tagging": "added=1" },
    tookEffect: seenInHead("x-amz-tagging-count", "1"),
  },
  {
    name: "x-amz-website-redirect-location",
    headers: { "x-amz-website-redirect-location": "/added" },
    tookEffect: seenInHead("x-amz-website-redirect-location", "/added"),
  },
  {
    name: "x-amz-meta-*",
    headers: { "x-amz-meta-added": "1" },
    tookEffect: seenInHead("x-amz-meta-added", "1"),
  },
];

async function put(
  store: StoreClient,
  scratch: Scratch,
  made: Promise<TrialObject>,
  addition: Addition,
): Promise<Found> {
  const object = await made;
  const { name, key } = object;
  const signed = store.presign({
    method: "PUT",
    key: name,
    headers: customerKeyHeaders(key),
    query: { "x-id": "PutObject" },
  });
  const request = { ...signed, headers: { ...signed.headers, ...addition.headers } };
  const answer = await scratch.write(name, (store) => store.send(request));
  return judge("PUT", store, object, addition, answer);
}

async function part(
  store: StoreClient,
  scratch: Scratch,
  made: Promise<TrialObject>,
  addition: Addition,
): Promise<Found> {
  const object = await made;
  const upload = await Upload.begin(scratch, object);
  // What is wrong with multipart uploads is said in their own line.
  if (!isUpload(upload)) return { operation: "UploadPart", kind: "refused", what: addition.name };
  const signed = store.presign(upload.part());
  const answer = await store.send({ ...signed, headers: { ...signed.headers, ...addition.headers } });
  return judge("UploadPart", store, object, addition, answer);
}

/** As headers and as fields, neither of which its policy has. */
async function form(
  store: StoreClient,
  scratch: Scratch,
  made: Promise<TrialObject>,
  addition: Addition,
): Promise<Found> {
  const object = await made;
  for (const isField of [false, true]) {
    const { request, bytes } = await formOf(store, object, isField ? addition.headers : {});
    const sent = isField ? request : { ...request, headers: { ...request.headers, ...addition.headers } };
    const answer = await scratch.write(object.name, (store) => store.send(sent, bytes));
    // A store without forms takes nothing by them.
    if (isMissing(answer)) continue;
    const found = await judge("PostObject", store, object, addition, answer);
    if (found.kind === "taken" || found.kind === "unclear") return found;
  }
  return { operation: "PostObject", kind: "refused", what: addition.name };
}

async function judge(
  operation: Found["operation"],
  store: StoreClient,
  object: TrialObject,
  { name, tookEffect }: Addition,
  answer: Answer,
): Promise<Found> {
  if (isDone(answer))
    return { operation, kind: (await tookEffect(store, object, answer)) ? "taken" : "ignored", what: name };
  if (isRefusal(answer)) return { operation, kind: "refused", what: name };
  return { operation, kind: "unclear", what: `${name} (${said(answer)})` };
}
