/** `ssec credentials`: S3 credentials for a while, in the form that AWS's tools ask a program for. */
import { Command, Option } from "commander";
import { Api, type ApiOptions } from "../api.ts";
import { quoted, ssec } from "../called-as.ts";
import { isUnasked, warnOfReaders } from "../hand-out.ts";
import { duration } from "../options.ts";
import { print } from "../output.ts";
import { EXIT } from "../terminal.ts";

interface CredentialsOptions extends ApiOptions {
  /** Seconds. */
  readonly for?: number;
  readonly export?: true;
  readonly show?: true;
}

interface ForAws {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken: string;
  readonly Expiration: string;
}

export const credentialsCommand = new Command("credentials")
  .addOption(new Option("--for <time>", "how long: 15m, 1h; at most 12h").argParser(duration))
  .option("--export", "commands for a shell instead of JSON")
  .option("--show", "print them even to a terminal")
  .addHelpText(
    "after",
    `
For an AWS profile, in ~/.aws/config:
  [profile edge]
  region = us-east-1
  endpoint_url = https://edge.example.com/s3
  credential_process = ${ssec()} --url https://edge.example.com credentials

Examples:
  eval "$(${ssec()} credentials --export)"
  ${ssec()} credentials --for 15m | jq .Expiration`,
  )
  .action((_, command: Command) => credentials(command.optsWithGlobals<CredentialsOptions>()));

async function credentials({
  for: expiresIn,
  export: forShell,
  show,
  ...options
}: CredentialsOptions): Promise<void> {
  if (isUnasked({ ...(show && { show }) })) {
    console.error(
      `Credentials are not shown on a terminal unless asked: ${ssec()} credentials --show\nTools of AWS take them by credential_process: ${ssec()} credentials --help`,
    );
    process.exitCode = EXIT.usage;
    return;
  }
  const given = await new Api(options).post<ForAws>(
    "/v1/s3/credentials?format=credential_process",
    expiresIn === undefined ? {} : { expiresIn },
  );
  warnOfReaders();
  if (!forShell) return print(JSON.stringify(given));
  const { AccessKeyId, SecretAccessKey, SessionToken } = given;
  print(`export AWS_ACCESS_KEY_ID=${quoted(AccessKeyId)}`);
  print(`export AWS_SECRET_ACCESS_KEY=${quoted(SecretAccessKey)}`);
  print(`export AWS_SESSION_TOKEN=${quoted(SessionToken)}`);
}
