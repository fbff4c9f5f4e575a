/** A JavaScript module for Node 20 or later, by fetch alone. */
import { fileNameOf, notesOn, type PresignedRequest, trafficOf, typeOf } from "./request.ts";

export function javascript(request: PresignedRequest): string {
  const { method, url, headers = {}, fields } = request;
  const { upload, answer } = trafficOf(request);
  const readsFile = upload === "file" || upload === "form";
  const name = JSON.stringify(`./${fileNameOf(request)}`);
  const type = typeOf(request);
  const body = {
    file: "body: file",
    form: "body: form",
    // A string as a body would be given a content type, also an empty one; bytes are not.
    body: `body: new TextEncoder().encode(${JSON.stringify(request.body)})`,
    empty: "body: new Uint8Array()",
    none: "",
  }[upload];

  const lines = [
    ...notesOn(request).map((note) => `// ${note}`),
    ...(readsFile ? ['import { openAsBlob } from "node:fs";'] : []),
    ...(answer === "file" ? ['import { writeFile } from "node:fs/promises";'] : []),
    ...(readsFile || answer === "file" ? [""] : []),
    `const url = ${JSON.stringify(url)};`,
    `const headers = ${JSON.stringify(headers, null, 2)};`,
    ...(readsFile ? [`const file = await openAsBlob(${name});`] : []),
    ...(fields
      ? [
          "const form = new FormData();",
          `for (const [name, value] of Object.entries(${JSON.stringify(fields, null, 2)})) form.append(name, value);`,
          ...(type === undefined ? [] : [`form.append("content-type", ${JSON.stringify(type)});`]),
          `form.append("file", file, ${JSON.stringify(fileNameOf(request))});`,
        ]
      : []),
    `const answer = await fetch(url, { ${[`method: ${JSON.stringify(method)}`, "headers", 'redirect: "manual"', body].filter(Boolean).join(", ")} });`,
    // A form may be answered with where its page goes next, which is not to be fetched.
    upload === "form" ? "if (!answer.ok && answer.status !== 303) {" : "if (!answer.ok) {",
    "  console.error(answer.status, await answer.text());",
    "  process.exit(1);",
    "}",
  ];
  if (answer === "file") lines.push(`await writeFile(${name}, answer.body ?? "");`);
  if (answer === "headers")
    lines.push("for (const [name, value] of answer.headers) console.log(`${name}: ${value}`);");
  if (answer === "body") lines.push("console.log(await answer.text());");
  return `${lines.join("\n")}\n`;
}
