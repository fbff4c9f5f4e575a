/** `ssec policy`: a bucket policy that refuses uploads without a customer key. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { Bucket, Config } from "../../config/load.ts";
import { customerKeyHeaders } from "../../keys/headers.ts";
import { KeyRing, type KeyRule } from "../../keys/ring.ts";
import { ssec } from "../called-as.ts";
import type { ChangeOptions } from "../change.ts";
import { waitOption } from "../options.ts";
import { everybodyOf, lint, merge, ourStatements, type Wanted, without } from "../policy-document.ts";
import type { Finding, Uploads } from "../proof.ts";
import type { StoreBucket } from "../s3.ts";
import { bucketOf, keyOf, readWorker, type Where, writerOf } from "../worker.ts";

const NO_LIST = "each object has a key of its own, whose MD5 no list can have. Leave --allow-key out";

interface PolicyOptions extends Where, ChangeOptions {
  readonly prefix?: string;
  readonly allowKey: readonly string[];
  readonly remove?: true;
}

export const policyCommand = new Command("policy")
  .argument("<bucket>", "a bucket of BUCKETS")
  .addOption(
    new Option("--prefix <prefix>", "only for objects below it; default is the whole bucket").argParser(
      literal,
    ),
  )
  .addOption(
    new Option("--allow-key <id...>", "refuse every key but these of KEYS, by their MD5").default(
      [],
      "any key",
    ),
  )
  .addOption(
    new Option("--remove", "take our statements out, for the prefix or all of them").conflicts("allowKey"),
  )
  .option("--apply", "merge it into the bucket's policy, and prove that it holds")
  .option("--yes", "do not ask")
  .addOption(waitOption)
  .option("--json", "what is done, as one JSON object")
  .addHelpText(
    "after",
    `
Statements are ours by their Sid (SsecEdge…); others are left as they are. What does not hold when it is tried is put
back: docs/policies.md.

Examples:
  ${ssec()} policy media                                  # prints the policy
  ${ssec()} policy media --apply                             # the difference, a question, the proof
  ${ssec()} policy media --prefix sensitive/ --allow-key k1 k2 --apply
  ${ssec()} policy media --remove --apply --yes`,
  )
  .action((bucket: string, _, command: Command) => policy(bucket, command.optsWithGlobals<PolicyOptions>()));

async function policy(bucketName: string, options: PolicyOptions): Promise<void> {
  const { config, secrets } = await readWorker(options);
  const bucket = bucketOf(config, bucketName);
  const ring = new KeyRing(secrets.read);
  const allowed = options.allowKey.map((id) => allowedKey(config, id));
  if (allowed.length > 0) checkWriter(bucket, writerOf(bucket), allowed);
  const wanted: Wanted = {
    bucket: bucket.storeBucket,
    prefix: options.prefix ?? "",
    everybody: everybodyOf(bucket.store.endpoint),
    keyMd5s: await Promise.all(allowed.map(async (rule) => (await ring.md5(rule)) ?? "")),
  };
  if (options.apply !== true && options.remove !== true) {
    console.log(JSON.stringify({ Version: "2012-10-17", Statement: ourStatements(wanted) }, null, 2));
    return;
  }

  const { make } = await import("../change.ts");
  const { s3Of } = await import("../s3.ts");
  const { policyOf } = await import("../policy-setting.ts");
  const { throwAwayKey, tryUploads } = await import("../proof.ts");
  const store = await s3Of(bucket, secrets);
  const setting = policyOf(store);
  const before = await setting.read();
  if (options.remove) {
    const after = without(before, options.prefix);
    return make({ setting, before, after, warnings: [] }, options);
  }
  const objectKey = throwAwayKey(wanted.prefix);
  const key = await ring.keyFor(writerOf(bucket), { storeBucket: bucket.storeBucket, key: objectKey });
  const upload = {
    action: "s3:PutObject",
    bucket: bucket.storeBucket,
    key: objectKey,
    named: lowerCase(customerKeyHeaders(key)),
    isSecure: bucket.store.endpoint.startsWith("https:"),
  } as const;
  await make(
    {
      setting,
      before,
      after: merge(before, wanted),
      warnings: [...lint(before, upload), ...(options.apply ? await addedWarnings(bucket, store) : [])],
      prove: async () => findings(await tryUploads(store, objectKey, key), allowed),
    },
    options,
  );
}

/** What one request of the trial may take, milliseconds. */
const TIME_LIMIT = 10_000;

/** A policy does not close what headers that nobody signed open. */
async function addedWarnings(bucket: Bucket, { credentials }: StoreBucket): Promise<string[]> {
  const { addedIn } = await import("../check/live.ts");
  const { addedOutcome } = await import("../check/added.ts");
  const limits = { timeLimit: TIME_LIMIT, interrupted: new AbortController().signal };
  const added = await addedIn(bucket, credentials, limits);
  if (added === undefined || added.taken.length === 0) return [];
  const isClosed = bucket.store.presignedUploads === false;
  const { what, todo } = addedOutcome(added, bucket.store.name, isClosed);
  return [`no policy closes this: ${what}.${isClosed ? "" : ` ${todo}`}`];
}

function findings(uploads: Uploads, allowed: readonly KeyRule[]): Finding[] {
  return [
    { what: "PutObject without a customer key is refused", holds: uploads.plain === "refused" },
    { what: "a multipart upload without one is refused", holds: uploads.plainMultipart === "refused" },
    { what: "PutObject with one is accepted", holds: uploads.encrypted === "accepted" },
    { what: "a multipart upload with one is accepted", holds: uploads.encryptedMultipart === "accepted" },
    ...(allowed.length > 0
      ? [{ what: "PutObject with another key is refused", holds: uploads.strange === "refused" }]
      : []),
  ];
}

function allowedKey(config: Config, id: string): KeyRule {
  const rule = keyOf(config, id);
  if (rule.derive) throw new Error(`KEYS.${id} is a root: ${NO_LIST}`);
  return rule;
}

/** Uploads go under the bucket's first key that may write: a policy that keeps the service out helps nobody. */
function checkWriter({ name }: Bucket, writer: KeyRule, allowed: readonly KeyRule[]): void {
  if (writer.derive) throw new Error(`BUCKETS.${name} is written under ${writer.id}, a root: ${NO_LIST}`);
  if (allowed.includes(writer)) return;
  throw new Error(`BUCKETS.${name} is written under ${writer.id}: allow that key as well`);
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** A prefix that a policy would take by its letters. */
function literal(prefix: string): string {
  if (/[*?$]/.test(prefix)) throw new InvalidArgumentError("a policy takes * ? $ for more than themselves.");
  return prefix;
}
