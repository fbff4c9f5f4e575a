/** A Python 3 program that needs nothing but requests. */
import { fileNameOf, notesOn, type PresignedRequest, trafficOf, typeOf } from "./request.ts";

export function python(request: PresignedRequest): string {
  const { method, url, headers = {}, body = "" } = request;
  const type = typeOf(request);
  const fields = type === undefined ? request.fields : { ...request.fields, "content-type": type };
  const { upload, answer } = trafficOf(request);
  const readsFile = upload === "file" || upload === "form";
  const usesFile = readsFile || answer === "file";
  const call = (body: string) =>
    `requests.request(${literal(method)}, url, headers=headers${body}, stream=True, allow_redirects=False, auth=lambda r: r)`;

  const lines = [
    ...notesOn(request).map((note) => `# ${note}`),
    `import ${upload === "file" ? "os, " : ""}${answer === "file" ? "shutil, " : ""}sys`,
    "import requests",
    "",
    `url = ${literal(url)}`,
    `headers = ${dictionary(headers)}`,
    ...(fields ? [`fields = ${dictionary(fields)}`] : []),
    ...(usesFile ? [`name = ${literal(`./${fileNameOf(request)}`)}`] : []),
    // An auth that does nothing keeps requests from adding credentials of ~/.netrc to a signed request.
  ];
  if (upload === "form") {
    lines.push(
      'with open(name, "rb") as file:',
      `    answer = ${call(', data=fields, files={"file": file}')}`,
    );
  } else if (upload === "file") {
    // requests sends an empty file in chunks, which S3 does not take.
    lines.push(
      'with open(name, "rb") as file:',
      `    answer = ${call(', data=file if os.path.getsize(name) else b""')}`,
    );
  } else {
    // A text as a body would be given a content type; bytes are not.
    const data = { body: `, data=${literal(body)}.encode()`, empty: ', data=b""', none: "" }[upload];
    lines.push(`answer = ${call(data)}`);
  }
  lines.push("if not answer.ok:", '    sys.exit(f"{answer.status_code} {answer.text}")');
  if (answer === "file") {
    lines.push(
      "answer.raw.decode_content = False",
      'with open(name, "wb") as file:',
      "    shutil.copyfileobj(answer.raw, file)",
    );
  }
  if (answer === "headers")
    lines.push("for header in answer.headers.items():", '    print(": ".join(header))');
  // XML is UTF-8, which requests does not take it for, and neither does every terminal.
  if (answer === "body") lines.push("sys.stdout.buffer.write(answer.content)");
  return `${lines.join("\n")}\n`;
}

/** A JSON string is a Python string literal as well. */
function literal(text: string): string {
  return JSON.stringify(text);
}

function dictionary(entries: Readonly<Record<string, string>>): string {
  const rows = Object.entries(entries).map(([name, value]) => `    ${literal(name)}: ${literal(value)},\n`);
  return rows.length === 0 ? "{}" : `{\n${rows.join("")}}`;
}
