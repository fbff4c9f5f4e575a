/** A first upload that proves the setting up: an object goes up through a presigned URL, comes back, and is removed. */
import type { Bucket } from "../../config/load.ts";
import { customerKeyHeaders } from "../../keys/headers.ts";
import { Refused } from "../../refused.ts";
import { credentialsOf } from "../../s3/store/credentials.ts";
import { StoreClient } from "../check/client.ts";
import { isDone, NoAnswer, said } from "../check/http.ts";
import type { Line } from "../check/line.ts";
import { trialObjects } from "../check/live.ts";
import { getUnder } from "../check/object.ts";
import { Scratch } from "../check/scratch.ts";
import { type ConfiguredWorker, writerOf } from "../worker.ts";

/** What one request may take, milliseconds. */
const TIME_LIMIT = 10_000;

/** What came of it, in lines; red where it does not hold. */
export async function firstUpload(bucket: Bucket, { secrets }: ConfiguredWorker): Promise<Line[]> {
  try {
    const credentials = await credentialsOf(bucket.store, secrets);
    const limits = { timeLimit: TIME_LIMIT, interrupted: new AbortController().signal };
    const store = new StoreClient({ bucket, credentials, clockOffset: 0 }, limits);
    const scratch = new Scratch(store);
    const line = await tryUpload(store, scratch, trialObjects(store, scratch, secrets)).finally(async () => {
      const removed = await scratch.remove();
      if (removed.verdict === "bad") console.error(`${removed.what}. ${removed.todo}`);
    });
    return [line];
  } catch (error) {
    if (!(error instanceof NoAnswer || error instanceof Refused)) throw error;
    const reason = error instanceof Refused ? (error.operator ?? error.message) : error.message;
    return [bad(bucket, reason)];
  }
}

async function tryUpload(
  store: StoreClient,
  scratch: Scratch,
  trial: ReturnType<typeof trialObjects>,
): Promise<Line> {
  const { bucket } = store.reach;
  const { name, key, body } = await trial("first-upload");
  const wanted = { method: "PUT", key: name, headers: customerKeyHeaders(key) };
  const put = await scratch.write(name, (store) => store.ask(wanted, body));
  if (!isDone(put)) return bad(bucket, `the store refuses it (${said(put)})`);
  const back = await store.ask(getUnder(name, key));
  if (!isDone(back) || !back.body.equals(body))
    return bad(bucket, `it does not come back as it went (${said(back)})`);
  const without = await store.ask(getUnder(name));
  if (isDone(without)) return bad(bucket, "the store gives it to whoever has no key");
  return {
    verdict: "ok",
    what: `a first upload to ${bucket.name} went up under ${writerOf(bucket).id} and came back; without the key the store refuses it (${said(without)}); it is removed again`,
  };
}

function bad({ name }: Bucket, reason: string): Line {
  return { verdict: "bad", what: `the first upload to ${name}: ${reason}` };
}
