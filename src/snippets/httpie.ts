/**
 * An HTTPie command for any POSIX shell. What stands in a command's arguments, every user of the machine can read: headers
 * reach HTTPie as a session, and the URL's signature as a file, neither of which is ever on a disk.
 */
import { fieldsOf } from "./form.ts";
import { fileNameOf, notesOn, type PresignedRequest, trafficOf } from "./request.ts";

export function httpie(request: PresignedRequest): string {
  const { upload } = trafficOf(request);
  const comments = notesOn(request).map((note) => `# ${note}\n`);
  return `${comments.join("")}${upload === "form" ? form(request) : plain(request)}`;
}

function plain(request: PresignedRequest): string {
  const { method, url, headers = {}, body = "" } = request;
  const { upload, answer } = trafficOf(request);
  const file = `./${fileNameOf(request)}`;
  const [address, signature] = apart(url);
  const session = { headers: Object.entries(headers).map(([name, value]) => ({ name, value })) };
  const isUntyped = (upload === "file" || upload === "body") && !("content-type" in headers);
  const words = [
    ...HTTPIE,
    // A download follows redirects, which would take the headers elsewhere.
    ...(answer === "file" ? ["--max-redirects=1", "--download", quoted(`--output=${file}`)] : []),
    ...(answer === "headers" ? ["--headers"] : []),
    ...(answer === "body" || answer === "none" ? ["--body"] : []),
    ...(upload === "body" ? [quoted(`--raw=${body}`)] : []),
    ...(upload === "file" ? [] : ["--ignore-stdin"]),
    ...(session.headers.length > 0 ? ["--session-read-only=/dev/fd/3"] : []),
  ];
  const items = [
    `${method} ${quoted(address)}`,
    ...(signature === undefined ? [] : ["X-Amz-Signature==@/dev/fd/4"]),
    // HTTPie names a type of its own with data, which nobody signed and the store would keep.
    ...(isUntyped ? ["content-type:"] : []),
    ...(upload === "file" ? [`< ${quoted(file)}`] : []),
  ];
  const texts: [number, string, string][] = [];
  if (session.headers.length > 0) texts.push([3, "HEADERS", JSON.stringify(session, null, 2)]);
  if (signature !== undefined) texts.push([4, "SIGNATURE", signature]);
  const redirections = texts.map(([descriptor, end]) => `${descriptor}<<'${end}'`);
  return `${lines(words, [...items, redirections.join(" ")])}\n${texts.map(([, end, text]) => `${text}\n${end}\n`).join("")}`;
}

/** No session has a form's fields: files do, which are read to their end, so that no line of the shell's may end them. */
function form(request: PresignedRequest): string {
  const fields = Object.entries(fieldsOf(request));
  const isSecret = ([name]: [string, string]) => /-customer-key$|^x-amz-signature$/i.test(name);
  const hidden = [...fields.filter(isSecret), ...fields.filter(([, value]) => UNSPEAKABLE.test(value))];
  const descriptors = new Map(
    hidden.slice(0, DESCRIPTORS.length).map(([name], i) => [name, DESCRIPTORS[i]] as const),
  );
  // A form that is answered with where its page goes next has arrived; to HTTPie that is a 3.
  const isLedOn = fields.some(([name]) => name === "success_action_redirect");
  const file = `./${fileNameOf(request)}`;
  const isNamed = !UNSPEAKABLE.test(file) && !file.includes(";type=");
  const command = lines(
    [...HTTPIE, isLedOn ? "--print=hb" : "--body", "--ignore-stdin", "--multipart"],
    [
      `${request.method} ${quoted(request.url)}`,
      ...fields.map(([name, value]) => {
        const descriptor = descriptors.get(name);
        return descriptor === undefined ? quoted(`${name}=${value}`) : `${name}=@/dev/fd/${descriptor}`;
      }),
      isNamed ? quoted(`file@${file}`) : `file@/dev/stdin < ${quoted(file)}`,
      ...(isLedOn ? ["|| [ $? -eq 3 ]"] : []),
    ],
  );
  // printf is the shell's own: nobody sees what it is given.
  return `${hidden.reduce((inner, [name, value]) => {
    const descriptor = descriptors.get(name);
    return descriptor === undefined ? inner : `printf %s ${quoted(value)} | {\n${inner}\n} ${descriptor}<&0`;
  }, command)}\n`;
}

const HTTPIE = ["http", "--check-status", "--ignore-netrc"];

/** All that every shell has beside the three that have a meaning. */
const DESCRIPTORS = [3, 4, 5, 6, 7, 8, 9];

/** HTTPie takes a backslash before one of its separators away, and has no way to say that it is meant. */
const UNSPEAKABLE = /\\[:;=@]/;

/** The URL, and what makes it more than an address. */
function apart(url: string): [string, string | undefined] {
  const [, before = "", signature, after = ""] = /^(.*)[?&]X-Amz-Signature=([0-9a-f]+)(.*)$/.exec(url) ?? [];
  return signature === undefined ? [url, undefined] : [before + after, signature];
}

/** The command and how it is to behave on a line, what it is to send on those that follow. */
function lines(words: readonly string[], items: readonly string[]): string {
  return [words.join(" "), ...items].filter((line) => line !== "").join(" \\\n  ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
