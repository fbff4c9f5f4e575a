/** A curl command for any POSIX shell. */
import { fileNameOf, notesOn, type PresignedRequest, trafficOf } from "./request.ts";

export function curl(request: PresignedRequest): string {
  const options = [
    "--fail-with-body",
    ...bodyOptions(request),
    ...headerOptions(request),
    quote(request.url),
  ];
  const comments = notesOn(request).map((note) => `# ${note}\n`);
  return `${comments.join("")}curl ${options.join(" \\\n  ")}\n`;
}

function headerOptions({ headers = {} }: PresignedRequest): string[] {
  return Object.entries(headers).map(([name, value]) => `--header ${quote(`${name}: ${value}`)}`);
}

function bodyOptions(request: PresignedRequest): string[] {
  const { method, fields = {}, headers = {} } = request;
  const { upload, answer } = trafficOf(request);
  // `./` keeps a name that begins with - or is - from being taken for something else.
  const file = `./${fileNameOf(request)}`;
  // curl names a type of its own with --data, which nobody signed and the store would keep.
  const untyped = "content-type" in headers ? [] : ["--header 'content-type:'"];
  const shown = answer === "headers" ? ["--dump-header -"] : [];
  switch (upload) {
    case "file":
      return ["--globoff", `--upload-file ${quote(file)}`, ...shown];
    case "form": {
      const escaped = file.replace(/["\\]/g, "\\$&");
      return [
        ...Object.entries(fields).map(([name, value]) => `--form-string ${quote(`${name}=${value}`)}`),
        `--form ${quote(`file=@"${escaped}"`)}`,
      ];
    }
    case "parts":
      return [`--request ${method}`, `--data-binary ${quote(`@${file}`)}`, ...untyped];
    case "empty":
      return [`--request ${method}`, "--data-binary ''", ...untyped];
    case "none":
      if (method === "HEAD") return ["--head"];
      if (answer === "file") return [`--output ${quote(file)}`];
      return method === "GET" ? [] : [`--request ${method}`];
  }
}

/** Nothing is special to a POSIX shell between single quotes but the single quote itself. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
