/**
 * A curl command for any POSIX shell. All that is secret reaches curl by its standard input: what stands in a command's
 * arguments, every user of the machine can read.
 */
import { fileNameOf, notesOn, type PresignedRequest, trafficOf, typeOf } from "./request.ts";

export function curl(request: PresignedRequest): string {
  const lines = [
    "fail-with-body",
    option("url", request.url),
    ...bodyOptions(request),
    ...headerOptions(request),
  ];
  const comments = notesOn(request).map((note) => `# ${note}\n`);
  return `${comments.join("")}curl --config - <<'END'\n${lines.join("\n")}\nEND\n`;
}

function headerOptions({ headers = {} }: PresignedRequest): string[] {
  // curl leaves out a header that it is given without a value, unless a semicolon stands in place of the colon.
  return Object.entries(headers).map(([name, value]) =>
    option("header", value === "" ? `${name};` : `${name}: ${value}`),
  );
}

function bodyOptions(request: PresignedRequest): string[] {
  const { method, fields = {}, headers = {}, body = "", key } = request;
  const { upload, answer } = trafficOf(request);
  // `./` keeps a name that begins with - or is - from being taken for something else.
  const file = `./${fileNameOf(request)}`;
  // curl names a type of its own with data, which nobody signed and the store would keep.
  const untyped = "content-type" in headers ? [] : [option("header", "content-type:")];
  const data = (value: string) => [option("request", method), option("data-binary", value), ...untyped];
  const shown = answer === "headers" ? [option("dump-header", "-")] : [];
  switch (upload) {
    case "file":
      // curl adds a file's name to a URL whose path ends in a slash.
      if (method !== "PUT" || key.endsWith("/")) return [...data(`@${file}`), ...shown];
      return ["globoff", option("upload-file", file), ...shown];
    case "form": {
      const type = typeOf(request);
      const typed = type === undefined ? fields : { ...fields, "content-type": type };
      return [
        ...Object.entries(typed).map(([name, value]) => option("form-string", `${name}=${value}`)),
        option("form", `file=@"${file.replace(/["\\]/g, "\\$&")}"`),
      ];
    }
    case "body":
      return data(body);
    case "empty":
      return data("");
    case "none":
      if (method === "HEAD") return ["head"];
      if (answer === "file") return [option("output", file)];
      return method === "GET" ? [] : [option("request", method)];
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\r": "\\r",
};

/** One line of curl's configuration, in its own quotes; the shell looks into none of it. */
function option(name: string, value: string): string {
  return `${name} = "${value.replace(/["\\]/g, "\\$&").replace(/[\t\n\v\r]/g, (c) => ESCAPES[c] ?? c)}"`;
}
