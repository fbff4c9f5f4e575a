/** `ssec derive`: the key of one object under a derived key, for recovery without us. */
import { Command } from "commander";
import { customerKey, decodeCustomerKey } from "../../keys/customer-key.ts";
import { deriveObjectKey } from "../../keys/derive.ts";
import { ssec } from "../called-as.ts";
import { type HandOut, isUnasked, outOption, refuseTerminal, warnOfReaders, writeOut } from "../hand-out.ts";
import { print } from "../output.ts";
import { thisCommandWith } from "../terminal.ts";
import { bucketOf, keyOf, readWorker, type Where } from "../worker.ts";

interface DeriveOptions extends Where, HandOut {
  readonly json?: true;
}

export const deriveCommand = new Command("derive")
  .argument("<keyId>", "a key of KEYS with derive = true")
  .argument("<bucket>", "a bucket of BUCKETS")
  .argument("<key>", "the object key")
  .option("--show", "print the key even to a terminal")
  .addOption(outOption)
  .option("--json", "print {keyId, bucket, key, md5, customerKey}, the key on the same terms")
  .addHelpText(
    "after",
    `
The root is read from .dev.vars beside the configuration, or from the environment.

Examples:
  ${ssec()} derive root media users/42/cat.jpg --out cat.key
  export CUSTOMER_KEY="$(${ssec()} derive root media users/42/cat.jpg)"   # then docs/keys.md, "Recovery"`,
  )
  .action((keyId: string, bucket: string, key: string, _, command: Command) =>
    derive(keyId, bucket, key, command.optsWithGlobals<DeriveOptions>()),
  );

async function derive(
  keyId: string,
  bucketName: string,
  objectKey: string,
  { json, show, out, ...where }: DeriveOptions,
): Promise<void> {
  const handOut = { ...(show && { show }), ...(out !== undefined && { out }) };
  if (isUnasked(handOut)) {
    return refuseTerminal(`Write it to a file that only you can read, or see it:

  ${thisCommandWith("--out", "FILE")}
  ${thisCommandWith("--show")}`);
  }
  const { config, secrets } = await readWorker(where);
  const rule = keyOf(config, keyId);
  if (!rule.derive)
    throw new Error(`key "${keyId}" is shared by all objects: its secret ${rule.secret} is their key`);
  const bucket = bucketOf(config, bucketName);
  const root = decodeCustomerKey(await secrets.read(rule.secret));
  const { base64, md5 } = customerKey(keyId, deriveObjectKey(root, bucket.storeBucket, objectKey));
  const isWritten = writeOut(handOut, base64);
  if (!isWritten) warnOfReaders();
  const shown = isWritten ? {} : { customerKey: base64 };
  if (json) print(JSON.stringify({ keyId, bucket: bucketName, key: objectKey, md5, ...shown }));
  else if (!isWritten) print(base64);
  if (!json) console.error(`MD5 ${md5}`);
}
