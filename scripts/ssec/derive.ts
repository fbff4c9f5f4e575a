/** `ssec derive`: the key of one object under a derived key, for recovery without us. */
import { Command } from "commander";
import { customerKey, decodeCustomerKey } from "../../src/ssec/customer-key.ts";
import { deriveObjectKey } from "../../src/ssec/derive.ts";
import { bucketOf, keyOf, readWorker, type Where } from "./worker.ts";

interface DeriveOptions extends Where {
  readonly json?: true;
}

export const deriveCommand = new Command("derive")
  .description("prints the key of one object under a derived key, for recovery without us")
  .argument("<keyId>", "a key of KEYS with derive = true")
  .argument("<bucket>", "a bucket of BUCKETS")
  .argument("<key>", "the object key")
  .option("--json", "print {keyId, bucket, key, customerKey, md5}")
  .addHelpText(
    "after",
    `
The root is read from .dev.vars beside the configuration, or from the environment.

Examples:
  npm run -s ssec -- derive root media users/42/cat.jpg
  export CUSTOMER_KEY="$(npm run -s ssec -- derive root media users/42/cat.jpg)"   # then docs/keys.md, "Recovery"`,
  )
  .action((keyId: string, bucket: string, key: string, _, command: Command) =>
    derive(keyId, bucket, key, command.optsWithGlobals<DeriveOptions>()),
  );

async function derive(
  keyId: string,
  bucketName: string,
  objectKey: string,
  { json, ...where }: DeriveOptions,
): Promise<void> {
  const { config, secrets } = await readWorker(where);
  const rule = keyOf(config, keyId);
  if (!rule.derive)
    throw new Error(`key "${keyId}" is shared by all objects: its secret ${rule.secret} is their key`);
  const bucket = bucketOf(config, bucketName);
  const root = decodeCustomerKey(await secrets.read(rule.secret));
  const { base64, md5 } = customerKey(keyId, deriveObjectKey(root, bucket.storeBucket, objectKey));
  if (json) {
    console.log(JSON.stringify({ keyId, bucket: bucketName, key: objectKey, customerKey: base64, md5 }));
    return;
  }
  console.log(base64);
  console.error(`MD5 ${md5}`);
}
