/** The other ways by which an object comes into a bucket: copy, multipart upload, form, the query, and without a key. */

import { ALGORITHM_HEADER, copySourceKeyHeaders, customerKeyHeaders } from "../../keys/headers.ts";
import { copySourceHeader } from "../../s3/api/fields.ts";
import { presignForm } from "../../s3/sign/post-policy.ts";
import type { Presigned } from "../../s3/sign/presign.ts";
import type { StoreClient } from "./client.ts";
import { isDone, said } from "./http.ts";
import { atRest, getUnder, opened, randomBody, randomKey, type TrialObject } from "./object.ts";
import { isMissing, isRefusal, refused } from "./refusal.ts";
import { bad, type Outcome, off, ok, warn } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import { isUpload, Upload } from "./upload.ts";

/** From the object's key to that of its copy. */
export async function copy(
  store: StoreClient,
  scratch: Scratch,
  source: TrialObject,
  target: TrialObject,
): Promise<Outcome> {
  const { storeBucket } = store.reach.bucket;
  const headers = {
    "x-amz-copy-source": copySourceHeader(storeBucket, { key: source.name }),
    ...copySourceKeyHeaders(source.key),
    ...customerKeyHeaders(target.key),
  };
  const wanted = { method: "PUT", key: target.name, headers, query: { "x-id": "CopyObject" } };
  const answer = await scratch.write(target.name, (store) => store.ask(wanted));
  if (isMissing(answer))
    return off(
      `the store cannot (${said(answer)})`,
      "Nothing to do: rotation downloads and uploads instead.",
    );
  if (!isDone(answer)) return refused(answer);
  return isEncrypted(store, { ...target, body: source.body }, "copied");
}

/** One part, which is the last and may be of any size. */
export async function multipart(store: StoreClient, scratch: Scratch, object: TrialObject): Promise<Outcome> {
  const upload = await Upload.begin(scratch, object);
  if (isUpload(upload)) {
    const finished = await upload.finish(store, scratch);
    return isDone(finished) ? isEncrypted(store, object, "begun, uploaded and completed") : refused(finished);
  }
  return isDone(upload)
    ? bad("the store gave no uploadId", "Its answer is not that of an S3 API.")
    : refused(upload);
}

/** As a browser sends it. */
export async function form(store: StoreClient, scratch: Scratch, object: TrialObject): Promise<Outcome> {
  const { request, bytes } = await formOf(store, object);
  const answer = await scratch.write(object.name, (store) => store.send(request, bytes));
  if (isMissing(answer))
    return off(
      `the store cannot (${said(answer)})`,
      "Nothing to do, but PostObject is of no use here: pages upload with PutObject.",
    );
  if (!isDone(answer)) return refused(answer);
  return isEncrypted(store, object, "taken");
}

/** @param more fields that the form's policy does not have */
export async function formOf(
  store: StoreClient,
  { name, key, body }: TrialObject,
  more: Readonly<Record<string, string>> = {},
): Promise<{ request: Presigned; bytes: Uint8Array }> {
  const { bucket } = store.reach;
  const { method, url, fields } = presignForm(
    { bucket, key: { exactly: name }, fields: customerKeyHeaders(key) },
    store.signing(),
  );
  const data = new FormData();
  for (const [field, value] of Object.entries({ ...fields, ...more })) data.append(field, value);
  data.append("file", new Blob([new Uint8Array(body)]), "object");
  const encoded = new Response(data);
  const headers = { "content-type": encoded.headers.get("content-type") ?? "" };
  return { request: { method, url, headers }, bytes: new Uint8Array(await encoded.arrayBuffer()) };
}

/** Only what the key opens and its lack does not is encrypted, whatever the store says of it. */
async function isEncrypted(
  store: StoreClient,
  { name, key, body }: TrialObject,
  done: string,
): Promise<Outcome> {
  const [withKey, without] = await Promise.all([store.ask(getUnder(name, key)), store.ask(getUnder(name))]);
  const outcomes = [atRest(without, body), opened(withKey, body)];
  return outcomes.find(({ verdict }) => verdict !== "ok") ?? ok(`${done}; opens to its key alone`);
}

/** A key in a URL is in every log on its way; so the key is one of this run alone. */
export async function query(store: StoreClient, scratch: Scratch, name: string): Promise<Outcome> {
  const wanted = { method: "PUT", key: name, query: customerKeyHeaders(randomKey()) };
  const answer = await scratch.write(name, (store) => store.ask(wanted, randomBody()));
  if (isRefusal(answer)) return ok(`refused (${said(answer)}): it would be in every log`);
  if (!isDone(answer)) return refused(answer);
  const bare = await store.ask(getUnder(name));
  if (!isDone(bare))
    return warn(
      `taken, and used (${said(answer)})`,
      "A client that puts the key into the URL leaves it in logs, and nothing stops it. The service never does.",
    );
  return answer.headers[ALGORITHM_HEADER] === undefined
    ? warn(
        "ignored: the object is stored in the clear",
        "A client that puts SSE-C into the URL stores in the clear, and sees it only by the missing echo. The service never does.",
      )
    : bad(
        "said to be encrypted, and stored in the clear",
        "The store does not do what it says: do not use it.",
      );
}
