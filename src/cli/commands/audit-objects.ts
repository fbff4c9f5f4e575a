/**
 * `ssec audit objects`: which objects a key was used for by the trail, and where each is now by the store's own word. The
 * trail keeps what was deleted since, or written anew under another key: by itself it does not tell what a key still holds.
 */
import { Command, Option } from "commander";
import type { UsedObject } from "../../audit/queries.ts";
import { Api, ApiError, type ApiOptions } from "../api.ts";
import { ssec } from "../called-as.ts";
import { table } from "../table.ts";
import { printable, progress } from "../terminal.ts";

/** What the Worker gives at once. */
const PAGE = 1000;
/** Objects that are looked at side by side. */
const AT_ONCE = 6;

/** Where an object is now; of a bucket with versions, its newest. */
type Now =
  | { readonly state: "there" }
  | { readonly state: "moved"; readonly keyId: string }
  | { readonly state: "gone" }
  | { readonly state: "plain" }
  | { readonly state: "unknown"; readonly reason: string };

type Found = UsedObject & { readonly now?: Now };

interface Options extends ApiOptions {
  /** False for what the trail has alone. */
  readonly verify: boolean;
  readonly json?: true;
}

export const auditObjects = new Command("objects")
  .description("which objects a key was used for, and which of them are still under it")
  .argument("<keyId>", "a key of KEYS")
  .option("--no-verify", "only what the trail has: do not ask the store where each object is now")
  .addOption(new Option("--json", "one JSON object a line"))
  .addHelpText(
    "after",
    `
The trail says which objects the key was used for; some are deleted since, or under another key. Each is therefore looked at
(POST /v1/verify, which needs a read grant): "there" is still under the key, and would be lost with it; "moved" is under the
key that is named; "gone" is not there; "plain" is not encrypted; "unknown" says why. Older versions are not looked at.

Examples:
  ${ssec()} audit objects k1
  ${ssec()} audit objects k1 --json | jq -r 'select(.now.state == "there") | .key'`,
  )
  .action(async (keyId: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const api = new Api(options);
    const all: Found[] = [];
    for await (const page of pagesOf(api, keyId)) {
      const found = options.verify ? await verified(api, keyId, page, all.length) : page;
      if (options.json) for (const object of found) console.log(JSON.stringify(object));
      all.push(...found);
    }
    progress("");
    if (!options.json) show(all, keyId, options.verify);
  });

async function* pagesOf(api: Api, keyId: string): AsyncGenerator<UsedObject[]> {
  const path = `/v1/audit/keys/${encodeURIComponent(keyId)}/objects`;
  let cursor: string | undefined;
  do {
    const page = await api.get<{ objects: UsedObject[]; cursor?: string }>(path, {
      cursor,
      limit: String(PAGE),
    });
    yield page.objects;
    if (page.cursor !== undefined && page.cursor === cursor)
      throw new Error("the list does not end: its cursor repeats");
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** A page of them, in its order. */
async function verified(
  api: Api,
  keyId: string,
  objects: readonly UsedObject[],
  before: number,
): Promise<Found[]> {
  const found: Found[] = [];
  const left = objects.entries();
  let done = before;
  const worker = async () => {
    for (const [i, object] of left) {
      found[i] = { ...object, now: await nowOf(api, keyId, object) };
      progress(`looking where each object is now: ${++done}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found;
}

/** By the key itself first; only what is not under it is looked for under the others. */
async function nowOf(api: Api, keyId: string, { bucket, key }: UsedObject): Promise<Now> {
  const first = await askFor(api, { bucket, key, keyId });
  const isElsewhere = first instanceof ApiError && [400, 409].includes(first.status);
  const answer = isElsewhere ? await askFor(api, { bucket, key }) : first;
  if (!(answer instanceof ApiError)) {
    if (!answer.encrypted) return { state: "plain" };
    return answer.keyId === keyId ? { state: "there" } : { state: "moved", keyId: answer.keyId };
  }
  return answer.code === "not-found" ? { state: "gone" } : { state: "unknown", reason: answer.message };
}

type Verified = { readonly encrypted: false } | { readonly encrypted: true; readonly keyId: string };

async function askFor(api: Api, object: object): Promise<Verified | ApiError> {
  try {
    return await api.post<Verified>("/v1/verify", object);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

function show(all: readonly Found[], keyId: string, isVerified: boolean): void {
  if (all.length === 0) {
    console.log("nothing");
    return;
  }
  const head = ["first used", "last used", "bucket", "key", "operations", isVerified ? "now" : "confirmed"];
  const rows = all.map(({ firstUsed, lastUsed, bucket, key, operations, confirmed, now }) =>
    [firstUsed, lastUsed, bucket, key, operations.join(","), now ? said(now) : confirmed ? "yes" : ""].map(
      printable,
    ),
  );
  console.log(table(head, rows));
  console.log(`\n${summary(all, keyId, isVerified)}`);
}

function said(now: Now): string {
  if (now.state === "moved") return `under ${now.keyId}`;
  return now.state === "unknown" ? `not known: ${now.reason}` : now.state;
}

function summary(all: readonly Found[], keyId: string, isVerified: boolean): string {
  const used = `${all.length} used with ${keyId}`;
  if (!isVerified) return `${used}, by the trail. Which of them are still under it was not looked at.`;
  const count = (state: Now["state"]) => all.filter(({ now }) => now?.state === state).length;
  const others = [
    [count("moved"), "under another key"],
    [count("gone"), "gone"],
    [count("plain"), "not encrypted"],
    [count("unknown"), "not known"],
  ] as const;
  const rest = others.filter(([n]) => n > 0).map(([n, what]) => `, ${n} ${what}`);
  return `${used}: ${count("there")} still under it, and lost without it${rest.join("")}.`;
}
