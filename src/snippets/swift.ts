/** A Swift program by URLSession, for Apple's systems. Files are streamed: a phone has no memory for them. */
import { fieldsOf, fileHeaders } from "./form.ts";
import { literal } from "./literal.ts";
import { fileNameOf, namedType, notesOn, type PresignedRequest, trafficOf } from "./request.ts";

export function swift(request: PresignedRequest): string {
  const { method, url, headers = {} } = request;
  const { upload, answer } = trafficOf(request);
  const usesFile = upload === "file" || upload === "form" || answer === "file";
  const all = { ...headers, ...namedType(request) };

  const lines = [
    ...(usesFile ? [`let file = URL(fileURLWithPath: ${text(`./${fileNameOf(request)}`)})`] : []),
    `var request = URLRequest(url: URL(string: ${text(url)})!)`,
    `request.httpMethod = ${text(method)}`,
    ...Object.entries(all).map(
      ([name, value]) => `request.setValue(${text(value)}, forHTTPHeaderField: ${text(name)})`,
    ),
    ...(upload === "form" ? formInAFile(request) : []),
    ...exchange(request),
    "let http = response as! HTTPURLResponse",
    // A form may be answered with where its page goes next, which is not to be fetched.
    `guard (200..<300).contains(http.statusCode)${upload === "form" ? " || http.statusCode == 303" : ""} else {`,
    ...(answer === "file" ? ["    let body = try Data(contentsOf: location)"] : []),
    "    print(http.statusCode, String(decoding: body, as: UTF8.self))",
    "    throw URLError(.badServerResponse)",
    "}",
    ...RECEIVING[answer],
  ];
  return [
    ...notesOn(request).map((note) => `// ${note}`),
    "import Foundation",
    "",
    "final class NoRedirects: NSObject, URLSessionTaskDelegate {",
    "    func urlSession(_ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,",
    "                    newRequest request: URLRequest) async -> URLRequest? { nil }",
    "}",
    "",
    "func transfer() async throws {",
    ...lines.map((line) => `    ${line}`),
    "}",
    "",
    "try await transfer()",
    "",
  ].join("\n");
}

function exchange(request: PresignedRequest): string[] {
  const { upload, answer } = trafficOf(request);
  const call = (names: string, what: string) =>
    `let (${names}, response) = try await URLSession.shared.${what}, delegate: NoRedirects())`;
  switch (upload) {
    case "file":
      return [call("body", "upload(for: request, fromFile: file")];
    case "form":
      return [call("body", "upload(for: request, fromFile: form")];
    case "body":
      return [call("body", `upload(for: request, from: Data(${text(request.body ?? "")}.utf8)`)];
    case "empty":
      return [call("body", "upload(for: request, from: Data()")];
    case "none":
      return [
        answer === "file" ? call("location", "download(for: request") : call("body", "data(for: request"),
      ];
  }
}

/** URLSession streams a file, and nothing that stands around one. */
function formInAFile(request: PresignedRequest): string[] {
  return [
    "let boundary = UUID().uuidString",
    "let fields: [(String, String)] = [",
    ...Object.entries(fieldsOf(request)).map(([name, value]) => `    (${text(name)}, ${text(value)}),`),
    "]",
    "let before = fields.map { name, value in",
    '    "--\\(boundary)\\r\\nContent-Disposition: form-data; name=\\"\\(name)\\"\\r\\n\\r\\n\\(value)\\r\\n"',
    `}.joined() + "--\\(boundary)\\r\\n" + ${text(fileHeaders(request))}`,
    "let form = FileManager.default.temporaryDirectory.appendingPathComponent(boundary)",
    "defer { try? FileManager.default.removeItem(at: form) }",
    "try Data(before.utf8).write(to: form)",
    "let from = try FileHandle(forReadingFrom: file)",
    "let to = try FileHandle(forWritingTo: form)",
    "try to.seekToEnd()",
    "while let piece = try from.read(upToCount: 1 << 20), !piece.isEmpty { try to.write(contentsOf: piece) }",
    'try to.write(contentsOf: Data("\\r\\n--\\(boundary)--\\r\\n".utf8))',
    "try to.close()",
    'request.setValue("multipart/form-data; boundary=\\(boundary)", forHTTPHeaderField: "content-type")',
  ];
}

const RECEIVING = {
  file: [
    "if FileManager.default.fileExists(atPath: file.path) { try FileManager.default.removeItem(at: file) }",
    "try FileManager.default.moveItem(at: location, to: file)",
  ],
  headers: ['for (name, value) in http.allHeaderFields { print("\\(name): \\(value)") }'],
  body: ["print(String(decoding: body, as: UTF8.self))"],
  none: [],
};

/** An escaped backslash begins no interpolation. */
function text(value: string): string {
  return literal(value, "", (codePoint) => `\\u{${codePoint.toString(16)}}`);
}
