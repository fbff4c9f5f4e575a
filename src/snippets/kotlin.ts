/** A Kotlin program by java.net alone, for Android and the JVM. Files are streamed: a phone has no memory for them. */
import { fieldsOf, fileHeaders } from "./form.ts";
import { literal } from "./literal.ts";
import { fileNameOf, namedType, notesOn, type PresignedRequest, trafficOf } from "./request.ts";

export function kotlin(request: PresignedRequest): string {
  const { method, url, headers = {} } = request;
  const { upload, answer } = trafficOf(request);
  const usesFile = upload === "file" || upload === "form" || answer === "file";
  // Android asks for gzip by itself, and unpacks what was stored packed.
  const asStored = answer === "file" ? { "accept-encoding": "identity" } : {};
  const all = { ...headers, ...namedType(request), ...asStored };

  const lines = [
    ...(usesFile ? [`val file = File(${text(`./${fileNameOf(request)}`)})`] : []),
    `val connection = URL(${text(url)}).openConnection() as HttpURLConnection`,
    `connection.requestMethod = ${text(method)}`,
    "connection.instanceFollowRedirects = false",
    ...Object.entries(all).map(
      ([name, value]) => `connection.setRequestProperty(${text(name)}, ${text(value)})`,
    ),
    ...sending(request, upload),
    "val status = connection.responseCode",
    // A form may be answered with where its page goes next, which is not to be fetched.
    `if (status !in 200..299${upload === "form" ? " && status != 303" : ""}) {`,
    '    throw IOException("$status ${connection.errorStream?.reader()?.readText() ?: ""}")',
    "}",
    ...RECEIVING[answer],
  ];
  return [
    ...notesOn(request).map((note) => `// ${note}`),
    ...(usesFile ? ["import java.io.File"] : []),
    "import java.io.IOException",
    "import java.net.HttpURLConnection",
    "import java.net.URL",
    ...(upload === "form" ? ["import java.util.UUID"] : []),
    "",
    "fun main() {",
    ...lines.map((line) => `    ${line}`),
    "}",
    "",
  ].join("\n");
}

function sending(request: PresignedRequest, upload: ReturnType<typeof trafficOf>["upload"]): string[] {
  switch (upload) {
    case "file":
      return [
        "connection.doOutput = true",
        "connection.setFixedLengthStreamingMode(file.length())",
        "connection.outputStream.use { to -> file.inputStream().use { it.copyTo(to) } }",
      ];
    case "form":
      return [
        "val boundary = UUID.randomUUID().toString()",
        "val fields = listOf(",
        ...Object.entries(fieldsOf(request)).map(
          // Kotlin takes a comma at the end only since 1.4.
          ([name, value], i, { length }) =>
            `    ${text(name)} to ${text(value)}${i === length - 1 ? "" : ","}`,
        ),
        ")",
        'val before = fields.joinToString("") { (name, value) ->',
        '    "--$boundary\\r\\nContent-Disposition: form-data; name=\\"$name\\"\\r\\n\\r\\n$value\\r\\n"',
        `} + "--$boundary\\r\\n" + ${text(fileHeaders(request))}`,
        'val after = "\\r\\n--$boundary--\\r\\n"',
        'connection.setRequestProperty("content-type", "multipart/form-data; boundary=$boundary")',
        "connection.doOutput = true",
        "connection.setFixedLengthStreamingMode(before.toByteArray().size + file.length() + after.length)",
        "connection.outputStream.use { to ->",
        "    to.write(before.toByteArray())",
        "    file.inputStream().use { it.copyTo(to) }",
        "    to.write(after.toByteArray())",
        "}",
      ];
    case "body":
      return [
        "connection.doOutput = true",
        `connection.outputStream.use { it.write(${text(request.body ?? "")}.toByteArray()) }`,
      ];
    case "empty":
      return ["connection.doOutput = true", "connection.setFixedLengthStreamingMode(0)"];
    case "none":
      return [];
  }
}

const RECEIVING = {
  file: ["connection.inputStream.use { from -> file.outputStream().use { from.copyTo(it) } }"],
  headers: [
    "for ((name, values) in connection.headerFields) {",
    '    if (name != null) println("$name: ${values.joinToString(", ")}")',
    "}",
  ],
  body: ["connection.inputStream.use { it.copyTo(System.out) }"],
  none: [],
};

/** A dollar begins a template. */
function text(value: string): string {
  return literal(value, "$", (codePoint) =>
    Array.from({ length: codePoint > 0xffff ? 2 : 1 }, (_, i) =>
      String.fromCodePoint(codePoint).charCodeAt(i).toString(16).padStart(4, "0"),
    )
      .map((unit) => `\\u${unit}`)
      .join(""),
  );
}
