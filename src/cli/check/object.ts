/** The promises of SSE-C, tried with one object: it opens to its key, as it was signed and in time, and to nothing else. */
import { randomBytes } from "node:crypto";
import { type CustomerKey, customerKey, KEY_BYTES } from "../../keys/customer-key.ts";
import { ALGORITHM_HEADER, customerKeyHeaders, KEY_HEADER, KEY_MD5_HEADER } from "../../keys/headers.ts";
import type { Presigned } from "../../s3/sign/presign.ts";
import type { StoreClient } from "./client.ts";
import { type Answer, isDone, said } from "./http.ts";
import { isRefusal, refused } from "./refusal.ts";
import { all, bad, type Outcome, ok, type Report } from "./report.ts";
import type { Scratch } from "./scratch.ts";

/** Bytes of a throw-away object. */
const SIZE = 1024;
/** How long ago the URL that has expired was signed, seconds. */
const LONG_AGO = 3600;

export interface TrialObject {
  readonly name: string;
  readonly key: CustomerKey;
  readonly body: Uint8Array;
}

/** Makes a throw-away object of that name, which is not written yet. */
export type Trial = (name: string) => Promise<TrialObject>;

export const randomBody = (): Uint8Array => randomBytes(SIZE);

/** A key of this run alone. */
export const randomKey = (): CustomerKey => customerKey("throw-away", randomBytes(KEY_BYTES));

export const getUnder = (name: string, key?: CustomerKey) => ({
  method: "GET",
  key: name,
  headers: key === undefined ? {} : customerKeyHeaders(key),
});

/** Writes the object, and tries every promise; nothing more when it is not written. */
export async function tryObject(
  store: StoreClient,
  scratch: Scratch,
  object: TrialObject,
  report: Report,
): Promise<void> {
  const { name, key, body } = object;
  let put: Answer | undefined;
  await report.try("put", async () => {
    const wanted = {
      method: "PUT",
      key: name,
      headers: customerKeyHeaders(key),
      query: { "x-id": "PutObject" },
    };
    put = await scratch.write(name, (store) => store.ask(wanted, body));
    return isDone(put) ? ok(`taken (${said(put)})`) : refused(put);
  });
  if (put === undefined || report.isBad("put")) return;
  const written = put;
  await all([
    report.try("echo", () => echo(store, object, written)),
    report.try("get", async () => opened(await store.ask(getUnder(name, key)), body)),
    report.try("at-rest", async () => atRest(await store.ask(getUnder(name)), body)),
    report.try("without-headers", () => withoutHeaders(store, object)),
    report.try("other-key", async () => otherKey(await store.ask(getUnder(name, randomKey())))),
    report.try("tampered", () => tampered(store, object)),
    report.try("inconsistent", () => inconsistent(store, object)),
    report.try("expired", () => expired(store, object)),
  ]);
  // What lies there in the clear opens to anything: these would say it again.
  if (report.isBad("at-rest")) report.drop("other-key", "inconsistent");
}

async function echo(store: StoreClient, { name, key }: TrialObject, put: Answer): Promise<Outcome> {
  const [head, get] = await Promise.all([
    store.ask({ ...getUnder(name, key), method: "HEAD" }),
    store.ask(getUnder(name, key)),
  ]);
  const faults = Object.entries({ PUT: put, HEAD: head, GET: get }).map(([method, answer]) => [
    method,
    echoFault(answer, key),
  ]);
  const [first] = faults.filter(([, fault]) => fault !== undefined);
  if (first === undefined) return ok("PUT, HEAD and GET answer with the algorithm and the key's MD5");
  return bad(
    `${first[0]}: ${first[1]}`,
    "Whether an object is encrypted is known by these headers: the service takes an upload without them for failed. Does a proxy on the way change them? If not, the store does no SSE-C.",
  );
}

function echoFault(answer: Answer, key: CustomerKey): string | undefined {
  const { headers } = answer;
  if (!isDone(answer)) return `refused (${said(answer)})`;
  if (headers[ALGORITHM_HEADER] === undefined) return "does not say that the object is encrypted";
  if (headers[ALGORITHM_HEADER] !== "AES256") return "names another algorithm than AES256";
  return headers[KEY_MD5_HEADER.toLowerCase()] === key.md5 ? undefined : "names another key's MD5";
}

export function opened(answer: Answer, body: Uint8Array): Outcome {
  if (!isDone(answer)) return refused(answer);
  return answer.body.equals(body)
    ? ok("gives the bytes that were put")
    : bad(
        `gives other bytes (${answer.body.length})`,
        "The store does not keep what it is given: do not use it.",
      );
}

export function atRest(answer: Answer, body: Uint8Array): Outcome {
  if (isRefusal(answer)) return ok(`without the key refused (${said(answer)})`);
  if (!isDone(answer)) return cannotTell(answer);
  return answer.body.equals(body)
    ? bad(
        `NO: without any key the store gives the bytes (${said(answer)})`,
        "It took the object and stored it in the clear. Do not use it for what must be encrypted: does a proxy on the way drop the SSE-C headers, or does the store not know SSE-C?",
      )
    : bad(
        `without any key the store answers ${said(answer)}`,
        "It gives away something of an object that only its key should open. Do not use it.",
      );
}

async function withoutHeaders(store: StoreClient, { name, key }: TrialObject): Promise<Outcome> {
  const { method, url } = store.presign(getUnder(name, key));
  return mustRefuse(
    [await store.send({ method, url, headers: {} })],
    "A URL without its headers opens the object: the store does not hold requests to their signed headers. Do not use it.",
  );
}

function otherKey(answer: Answer): Outcome {
  return mustRefuse(
    [answer],
    "The store does not compare keys: what another key opens is not encrypted under its own. Do not use it.",
  );
}

async function tampered(store: StoreClient, { name, key }: TrialObject): Promise<Outcome> {
  const signed = store.presign(getUnder(name, key));
  const changes = [
    { [ALGORITHM_HEADER]: "AES128" },
    { [KEY_MD5_HEADER]: randomKey().md5 },
    customerKeyHeaders(randomKey()),
  ];
  return mustRefuse(
    await Promise.all(changes.map((change) => store.send(changed(signed, change)))),
    "The store takes headers that were changed after signing: whoever holds a URL can use it otherwise than it was made for. Do not use it.",
  );
}

const changed = (signed: Presigned, change: Record<string, string>): Presigned => ({
  ...signed,
  headers: { ...signed.headers, ...change },
});

/** Signed so, and wrong in itself. */
async function inconsistent(store: StoreClient, { name, key }: TrialObject): Promise<Outcome> {
  const right = getUnder(name, key);
  const wrong = [
    { ...right.headers, [ALGORITHM_HEADER]: "AES128" },
    { ...right.headers, [KEY_MD5_HEADER]: randomKey().md5 },
    { [ALGORITHM_HEADER]: "AES256", [KEY_HEADER]: key.base64 },
  ];
  return mustRefuse(
    await Promise.all(wrong.map((headers) => store.ask({ ...right, headers }))),
    "The store takes another algorithm, a wrong MD5 or none: a key that is damaged on its way would not be noticed.",
  );
}

async function expired(store: StoreClient, { name, key }: TrialObject): Promise<Outcome> {
  return mustRefuse(
    [await store.send(store.presign(getUnder(name, key), LONG_AGO))],
    "A URL works beyond its time: expiresIn protects nothing. Is the store's clock right?",
  );
}

function mustRefuse(answers: readonly Answer[], todo: string): Outcome {
  const taken = answers.find(isDone);
  if (taken !== undefined) return bad(`taken (${said(taken)})`, todo);
  const other = answers.find((answer) => !isRefusal(answer));
  if (other !== undefined) return cannotTell(other);
  return ok(`refused (${[...new Set(answers.map(said))].join(", ")})`);
}

function cannotTell(answer: Answer): Outcome {
  return bad(`an answer that proves nothing (${said(answer)})`, "A refusal was due, 400 or 403: try again.");
}
