/** `ssec share`: a link that opens without any key, until it ends. */
import { Command, InvalidArgumentError, Option } from "commander";
import { Api, type ApiOptions } from "../api.ts";
import { quoted, ssec } from "../called-as.ts";
import { duration, wholeNumber } from "../options.ts";
import { print } from "../output.ts";
import { printable } from "../terminal.ts";
import { type ObjectName, objectName } from "../transfer/location.ts";
import { headObject } from "../transfer/stored.ts";

interface ShareOptions extends ApiOptions {
  /** Seconds. */
  readonly for: number;
  readonly upload?: true;
  readonly type?: string;
  readonly size?: number;
  readonly maxBytes?: number;
  readonly download?: true;
  readonly json?: true;
}

interface Link {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: string;
}

export const shareCommand = new Command("share")
  .argument("<object>", "BUCKET/KEY", objectName)
  .addOption(
    new Option("--for <time>", "how long it opens: 90s, 30m, 1h, 7d").default(3600, "1h").argParser(duration),
  )
  .option("--upload", "a link to upload with, once or again, until it ends")
  .option("--type <type>", "with --upload: the only content type that it takes")
  .addOption(
    new Option("--size <bytes>", "with --upload: the only length that it takes").argParser(wholeNumber),
  )
  .addOption(
    new Option("--max-bytes <bytes>", "with --upload: the greatest length that it takes")
      .conflicts("size")
      .argParser(wholeNumber),
  )
  .addOption(
    new Option("--download", "browsers save it, and do not show it").conflicts([
      ...["upload", "type", "size", "maxBytes"],
    ]),
  )
  .option("--json", "print {method, url, headers, expiresAt}")
  .addHelpText(
    "after",
    `
Whoever has the link needs nothing else. It ends with its time, or when this caller or its grant is taken away.

Examples:
  ${ssec()} share media/users/42/cat.jpg --for 7d
  ${ssec()} share media/inbox/report.pdf --upload --type application/pdf --max-bytes 10000000`,
  )
  .action((object: ObjectName, _, command: Command) =>
    share(object, command.optsWithGlobals<ShareOptions>()),
  );

async function share(object: ObjectName, options: ShareOptions): Promise<void> {
  const { for: expiresIn, upload, type, size, maxBytes, download, json } = options;
  if (!upload && (type !== undefined || size !== undefined || maxBytes !== undefined))
    throw new InvalidArgumentError("--type, --size and --max-bytes are for --upload.");
  const api = new Api(options);
  // Whoever gets the link could not mend a name that is wrong.
  if (!upload) await headObject(api, object);
  const link = await api.post<Link>("/v1/presign", {
    operation: upload ? "PutObject" : "GetObject",
    ...object,
    via: "edge",
    expiresIn,
    ...(type !== undefined && { contentType: type }),
    ...(size !== undefined && { contentLength: size }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(download && { response: { contentDisposition: "attachment" } }),
  });
  const { method, url, headers, expiresAt } = link;
  if (json) return print(JSON.stringify({ method, url, headers, expiresAt }));
  print(url);
  console.error(`It ends at ${expiresAt}.`);
  if (!upload) return;
  // The type is in the link itself.
  const others = Object.entries(headers).filter(([name]) => name !== "content-type");
  const given = others.map(([name, value]) => ` -H ${quoted(`${name}: ${value}`)}`);
  console.error(printable(`Upload with: curl -T FILE${given.join("")} ${quoted("URL")}`));
}
