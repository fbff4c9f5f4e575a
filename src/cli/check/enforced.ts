/**
 * Whether the store refuses uploads without a customer key, and where it does not, whether a policy would have it do so:
 * tried below the prefix of this run alone, and taken out again. There are stores that take the policy and then refuse
 * everything, so that it is recommended only where it was seen to hold.
 */
import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { customerKeyHeaders } from "../../keys/headers.ts";
import { everybodyOf, merge, without } from "../policy-document.ts";
import { isSame } from "../same-document.ts";
import { nextCommand } from "../terminal.ts";
import type { StoreClient } from "./client.ts";
import { type Answer, codeOf, isDone, said } from "./http.ts";
import { randomBody, type Trial } from "./object.ts";
import { isMissing, isRefusal, refused } from "./refusal.ts";
import { type Outcome, ok, warn } from "./report.ts";
import type { Scratch } from "./scratch.ts";

/** So long a policy may take until it is known to all of a store, milliseconds. */
const SPREADING = 10_000;
const PAUSE = 500;

const NOT_ENFORCED = "not enforced: a PUT without a key is taken, and stored in the clear";
/** Where no policy does it. */
const BY_SIGNATURE =
  "What this service signs is encrypted all the same: let nobody else have credentials that write.";

export async function enforced(store: StoreClient, scratch: Scratch, trial: Trial): Promise<Outcome> {
  const answer = await plainPut(scratch, scratch.name("plain"));
  if (isRefusal(answer)) return ok(`a PUT without a key is refused (${said(answer)})`);
  if (!isDone(answer)) return refused(answer);
  const tried = await tryPolicy(store, scratch, trial);
  if (tried !== "holds") return warn(NOT_ENFORCED, `${tried} ${BY_SIGNATURE}`);
  return warn(
    NOT_ENFORCED,
    "A policy has the store refuse it, as was tried here:",
    nextCommand("policy", store.reach.bucket.name, "--apply"),
  );
}

/** `holds`, or why a policy is not to be recommended. */
async function tryPolicy(store: StoreClient, scratch: Scratch, trial: Trial): Promise<string> {
  const prefix = scratch.name("policed/");
  const there = await store.ask(READ);
  if (!isDone(there) && codeOf(there) !== "NoSuchBucketPolicy") return whyNot(there);
  const { storeBucket: bucket, store: config } = store.reach.bucket;
  const before = isDone(there) ? there.body.toString() : undefined;
  const everybody = everybodyOf(config.endpoint);
  const after = merge(before, { bucket, prefix, everybody, keyMd5s: [] });
  const putBack = scratch.changing((store) => takeOut(store, { prefix, before, after }));
  try {
    const answer = await write(store.writing(), after);
    return isDone(answer) ? await verdict(scratch, trial) : whyNot(answer);
  } finally {
    await putBack();
  }
}

function whyNot(answer: Answer): string {
  if (isMissing(answer)) return `The store has no bucket policies (${said(answer)}).`;
  return answer.status === 403
    ? "Whether a policy would hold was not tried, for the credentials may not set one: `policy --apply` with an administrator's tries it, and takes back what does not hold."
    : `The store does not take the policy that would do it (${said(answer)}).`;
}

async function verdict(scratch: Scratch, trial: Trial): Promise<string> {
  const end = Date.now() + SPREADING;
  for (;;) {
    const plain = await plainPut(scratch, scratch.name("policed/plain"));
    const { name, key, body } = await trial("policed/object");
    const wanted = { method: "PUT", key: name, headers: customerKeyHeaders(key) };
    const encrypted = await scratch.write(name, (store) => store.ask(wanted, body));
    if (isRefusal(plain) && isDone(encrypted)) return "holds";
    if (!isDone(encrypted))
      return `No policy does it: the store takes one, and then refuses uploads with a key as well (${said(encrypted)}), as was tried here.`;
    if (Date.now() > end)
      return "No policy does it: the store takes one, and does not heed it, as was tried here.";
    await setTimeout(PAUSE);
  }
}

const plainPut = (scratch: Scratch, name: string): Promise<Answer> =>
  scratch.write(name, (store) => store.ask({ method: "PUT", key: name }, randomBody()));

const READ = { method: "GET", key: "", query: { policy: "" } } as const;

function write(store: StoreClient, policy: string): Promise<Answer> {
  const body = Buffer.from(policy);
  // AWS demands it of this operation.
  const headers = { "content-md5": createHash("md5").update(body).digest("base64") };
  return store.ask({ method: "PUT", key: "", headers, query: { policy: "" } }, body);
}

interface Tried {
  readonly prefix: string;
  readonly before: string | undefined;
  readonly after: string;
}

/** As it was; where somebody else has changed it meanwhile, only what is ours goes. */
async function takeOut(store: StoreClient, { prefix, before, after }: Tried): Promise<Answer> {
  const there = await store.ask(READ);
  if (!isDone(there)) return there;
  const policy = there.body.toString();
  const rest = isSame(policy, after) ? before : without(policy, prefix);
  if (rest === policy) return there;
  return rest === undefined
    ? store.ask({ method: "DELETE", key: "", query: { policy: "" } })
    : write(store, rest);
}
