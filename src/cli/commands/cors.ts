/** `ssec cors`: lets pages of the given origins use presigned requests. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../../config/load.ts";
import { KeyRing } from "../../keys/ring.ts";
import { ssec } from "../called-as.ts";
import type { ChangeOptions } from "../change.ts";
import { merge, ourRule, without } from "../cors-rules.ts";
import { waitOption } from "../options.ts";
import { bucketOf, readWorker, type Where, writerOf } from "../worker.ts";

interface CorsOptions extends Where, ChangeOptions {
  readonly origin: readonly string[];
  readonly remove?: true;
}

export const corsCommand = new Command("cors")
  .argument("<bucket>", "a bucket of BUCKETS")
  .addOption(
    new Option("--origin <origin...>", "as https://app.example.com; one * stands for anything")
      .default([], "ALLOWED_ORIGINS")
      .argParser(origins),
  )
  .addOption(new Option("--remove", "take our rule out").conflicts("origin"))
  .option("--apply", "merge it into the bucket's CORS configuration, and prove that it holds")
  .option("--yes", "do not ask")
  .addOption(waitOption)
  .option("--json", "what is done, as one JSON object")
  .addHelpText(
    "after",
    `
The rule is ours by its ID (ssec-edge); others are left as they are. What does not hold when it is tried is put back.

Examples:
  ${ssec()} cors media                                    # prints the rule
  ${ssec()} cors media --origin https://app.example.com --apply
  ${ssec()} cors media --remove --apply --yes`,
  )
  .action((bucket: string, _, command: Command) => cors(bucket, command.optsWithGlobals<CorsOptions>()));

async function cors(bucketName: string, options: CorsOptions): Promise<void> {
  const { config, secrets } = await readWorker(options);
  const bucket = bucketOf(config, bucketName);
  const { remove } = options;
  const wanted = remove ? [] : originsOf(options, config);
  if (options.apply !== true && !remove) {
    console.log(JSON.stringify({ CORSRules: [ourRule(wanted)] }, null, 2));
    return;
  }

  const { make } = await import("../change.ts");
  const { s3Of } = await import("../s3.ts");
  const { corsOf, documentOf, rulesIn } = await import("../cors-setting.ts");
  const store = await s3Of(bucket, secrets);
  const setting = corsOf(store);
  const before = await setting.read();
  const rules = rulesIn(before);
  if (remove) {
    const kept = without(rules);
    return make(
      { setting, before, after: kept.length === 0 ? undefined : documentOf(kept), warnings: [] },
      options,
    );
  }
  const { throwAwayKey } = await import("../proof.ts");
  const { tryOrigin } = await import("../cors-proof.ts");
  const objectKey = throwAwayKey("");
  const named = { storeBucket: bucket.storeBucket, key: objectKey };
  const key = await new KeyRing(secrets.read).keyFor(writerOf(bucket), named);
  const trial = { bucket, store, objectKey, key };
  await make(
    {
      setting,
      before,
      after: documentOf(merge(rules, wanted)),
      warnings: [],
      prove: async () => {
        const findings = [];
        for (const origin of wanted) findings.push(...(await tryOrigin(trial, origin)));
        return findings;
      },
    },
    options,
  );
}

function originsOf({ origin }: CorsOptions, { allowedOrigins }: Config): readonly string[] {
  const wanted = origin.length > 0 ? origin : allowedOrigins;
  if (wanted.length > 0) return wanted;
  throw new Error("ALLOWED_ORIGINS is empty: say whose pages, with --origin https://app.example.com");
}

/** An origin as browsers send it, in which one `*` may stand for anything. */
function origins(text: string, before: readonly string[]): readonly string[] {
  const plain = text.replace(":*", ":8080").replace("*", "any");
  const isOrigin = text === "*" || (URL.canParse(plain) && new URL(plain).origin === plain);
  if (!isOrigin)
    throw new InvalidArgumentError("as https://app.example.com, without a path or a slash at the end.");
  return [...before, text];
}
