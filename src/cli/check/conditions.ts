/** Whether a write under a condition that does not hold is refused (412), and one under a condition that holds is not. */

import { copySourceKeyHeaders, customerKeyHeaders } from "../../keys/headers.ts";
import { copySourceHeader } from "../../s3/api/fields.ts";
import type { StoreClient } from "./client.ts";
import { type Answer, isDone, said } from "./http.ts";
import type { Trial, TrialObject } from "./object.ts";
import { isMissing, refused } from "./refusal.ts";
import { bad, type Outcome, off, ok, warn } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import { isUpload, Upload } from "./upload.ts";

type Headers = Readonly<Record<string, string>>;

/** An ETag that no object has. */
const OTHER = '"00000000000000000000000000000000"';
const bare = (etag: string): string => etag.replaceAll('"', "");

/** Writes under a condition, and what is due. */
interface Attempt {
  readonly what: string;
  readonly isDue: boolean;
  readonly send: () => Promise<Answer>;
}

interface Judged {
  /** Done although the condition does not hold. */
  readonly taken: readonly string[];
  /** Refused although it holds. */
  readonly refused: readonly string[];
  /** There are no conditions at all: 501. */
  readonly missing: Answer | undefined;
}

/** One after the other: each changes what the next is asked about. */
async function judge(attempts: readonly Attempt[]): Promise<Judged> {
  const taken: string[] = [];
  const wronged: string[] = [];
  for (const { what, isDue, send } of attempts) {
    const answer = await send();
    if (isMissing(answer)) return { taken, refused: wronged, missing: answer };
    if (isDone(answer) && !isDue) taken.push(what);
    if (!isDone(answer) && isDue) wronged.push(`${what} (${said(answer)})`);
  }
  return { taken, refused: wronged, missing: undefined };
}

export async function putConditions(scratch: Scratch, trial: Trial): Promise<Outcome> {
  const object = await trial("put-conditions");
  const absent = await trial("put-conditions-absent");
  const first = await put(scratch, object);
  if (!isDone(first)) return refused(first);
  let etag = etagOf(first);
  const overwrite = (what: string, isDue: boolean, condition: () => Headers): Attempt => ({
    what,
    isDue,
    send: async () => {
      const answer = await put(scratch, object, condition());
      if (isDone(answer)) etag = etagOf(answer);
      return answer;
    },
  });
  const found = await judge([
    overwrite("if-none-match: *", false, () => ({ "if-none-match": "*" })),
    overwrite("another if-match", false, () => ({ "if-match": OTHER })),
    { what: "if-match of no object", isDue: false, send: () => put(scratch, absent, { "if-match": OTHER }) },
    overwrite("if-match as answered, in quotes", true, () => ({ "if-match": etag })),
    overwrite("if-match without quotes", true, () => ({ "if-match": bare(etag) })),
  ]);
  if (found.taken.length > 0)
    return bad(
      `overwritten all the same: ${found.taken.join(", ")}`,
      "A presigned PutObject with ifNoneMatch or ifMatch replaces what it should keep. Upload through the edge, which looks before it writes.",
    );
  return theRest(
    found,
    "A presigned PutObject with ifMatch cannot succeed so: give the ETag in the form that is taken, or upload through the edge, which sees to it.",
  );
}

export async function completeConditions(
  store: StoreClient,
  scratch: Scratch,
  trial: Trial,
): Promise<Outcome> {
  const object = await trial("complete-conditions");
  const there = await put(scratch, object);
  if (!isDone(there)) return refused(there);
  const upload = await Upload.begin(scratch, object);
  if (!isUpload(upload)) return refused(upload);
  const part = await upload.sendPart(store);
  if (typeof part !== "string") return refused(part);
  const etag = etagOf(there);
  const complete = (condition: Headers) => () => upload.complete(scratch, part, condition);
  let found: Judged = { taken: [], refused: [], missing: undefined };
  // What is complete cannot be completed again.
  for (const attempt of [
    { what: "if-none-match: *", isDue: false, send: complete({ "if-none-match": "*" }) },
    { what: "another if-match", isDue: false, send: complete({ "if-match": OTHER }) },
    { what: "if-match as answered, in quotes", isDue: true, send: complete({ "if-match": etag }) },
  ]) {
    found = await judge([attempt]);
    if (found.taken.length > 0 || found.missing !== undefined) break;
  }
  if (found.taken.length > 0)
    return warn(
      `overwritten all the same: ${found.taken.join(", ")}`,
      "The service looks right before it completes an upload; what somebody else writes in between is lost: docs/stores.md.",
    );
  return theRest(found, "Upload in one piece where ifMatch is needed.");
}

export async function deleteConditions(scratch: Scratch, trial: Trial): Promise<Outcome> {
  const object = await trial("delete-conditions");
  const there = await put(scratch, object);
  if (!isDone(there)) return refused(there);
  const remove = (condition: Headers) => () =>
    scratch.write(object.name, (store) =>
      store.ask({ method: "DELETE", key: object.name, headers: condition }),
    );
  const found = await judge([
    { what: "another if-match", isDue: false, send: remove({ "if-match": OTHER }) },
    { what: "if-match as answered, in quotes", isDue: true, send: remove({ "if-match": etagOf(there) }) },
  ]);
  if (found.taken.length > 0)
    return warn(
      `deleted all the same: ${found.taken[0]}`,
      "Through the edge the service looks right before it deletes; what somebody else writes in between is lost: docs/stores.md.",
    );
  return theRest(found, "Delete without a condition.");
}

export async function copyConditions(store: StoreClient, scratch: Scratch, trial: Trial): Promise<Outcome> {
  const source = await trial("copy-conditions");
  const there = await put(scratch, source);
  if (!isDone(there)) return refused(there);
  const target = await trial("copy-conditions-copy");
  const parts = await trial("copy-conditions-parts");
  const upload = await Upload.begin(scratch, parts);
  const from = (object: TrialObject, etag: string): Headers => ({
    "x-amz-copy-source": copySourceHeader(store.reach.bucket.storeBucket, { key: source.name }),
    "x-amz-copy-source-if-match": etag,
    ...copySourceKeyHeaders(source.key),
    ...customerKeyHeaders(object.key),
  });
  const copy = (etag: string) => () =>
    scratch.write(target.name, (store) =>
      store.ask({
        method: "PUT",
        key: target.name,
        headers: from(target, etag),
        query: { "x-id": "CopyObject" },
      }),
    );
  const whole = await judge([
    { what: "CopyObject", isDue: true, send: copy(etagOf(there)) },
    { what: "CopyObject", isDue: false, send: copy(OTHER) },
  ]);
  const copyPart = (etag: string) => () =>
    isUpload(upload) ? store.ask(upload.part(from(parts, etag))) : Promise.resolve(upload);
  // A refusal proves something only where a copy under a condition that holds is taken.
  const inParts = await judge([
    { what: "UploadPartCopy", isDue: true, send: copyPart(etagOf(there)) },
    { what: "UploadPartCopy", isDue: false, send: copyPart(OTHER) },
  ]);
  const canCopyParts = inParts.missing === undefined && inParts.refused.length === 0;
  const todo = "A copy may be of other bytes than were asked for: compare the ETag of what was copied.";
  if (whole.taken.length > 0)
    return bad(`copied under another if-match: ${[...whole.taken, ...inParts.taken].join(", ")}`, todo);
  if (inParts.taken.length > 0)
    return warn(`copied under another if-match: ${inParts.taken.join(", ")}`, todo);
  if (whole.missing !== undefined && !canCopyParts)
    return off(`the store cannot copy from key to key (${said(whole.missing)})`, "Nothing to do.");
  return theRest({ ...whole, missing: undefined }, "Copy without ifSourceMatch.");
}

function theRest({ refused, missing }: Judged, todo: string): Outcome {
  if (missing !== undefined)
    return off(
      `the store has none (${said(missing)})`,
      "Nothing is lost by it: what has a condition is refused.",
    );
  if (refused.length > 0) return warn(`refused although it holds: ${refused.join(", ")}`, todo);
  return ok("refused where they do not hold, taken where they do");
}

function put(scratch: Scratch, { name, key, body }: TrialObject, condition: Headers = {}): Promise<Answer> {
  const wanted = {
    method: "PUT",
    key: name,
    headers: { ...customerKeyHeaders(key), ...condition },
    query: { "x-id": "PutObject" },
  };
  return scratch.write(name, (store) => store.ask(wanted, body));
}

const etagOf = ({ headers }: Answer): string => String(headers.etag);
