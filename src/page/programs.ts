/** The object for other programs: as the service writes it for curl and JavaScript, and for S3's own clients. */
import { type Presigned, SsecError } from "../client/index.ts";
import { button, type Child, choice, copyButton, failure, h } from "./dom.ts";
import { when } from "./format.ts";
import type { Session } from "./session.ts";
import type { Via } from "./transfers.ts";

type Program = "request" | "curl" | "aws" | "javascript";

const KEY_HEADER = "x-amz-server-side-encryption-customer-key";
const MASK = "•".repeat(12);

interface Target {
  readonly bucket: string;
  readonly key: string;
}

/** The section of an object that shows it. Nothing is asked for before it is opened. */
export function programs(session: Session, target: Target, start: Via, signal: AbortSignal): HTMLElement {
  let via = start;
  let program: Program = "request";
  const shown = h("div", { class: "shown" });
  const draw = async () => {
    shown.replaceChildren(h("p", { class: "hint" }, "…"));
    try {
      const parts =
        program === "aws" ? awsCli(session, target) : await asked(session, target, via, program, signal);
      shown.replaceChildren(...parts.filter((part) => part instanceof Node));
    } catch (error) {
      if (!signal.aborted) shown.replaceChildren(failure(reasonOf(error)));
    }
  };
  const section = h(
    "details",
    { class: "section" },
    h("summary", {}, "What a client sees"),
    choice("Way", { store: "Presigned", edge: "Through the edge" }, via, (value) => {
      via = value;
      void draw();
    }),
    choice(
      "Program",
      { request: "Request", curl: "curl", aws: "aws cli", javascript: "JavaScript" },
      program as Program,
      (value) => {
        program = value;
        void draw();
      },
    ),
    shown,
  );
  section.addEventListener("toggle", () => {
    if (section.open && !shown.hasChildNodes()) void draw();
  });
  return section;
}

async function asked(
  session: Session,
  target: Target,
  via: Via,
  program: Exclude<Program, "aws">,
  signal: AbortSignal,
): Promise<Child[]> {
  const request = { ...target, ...(program !== "request" && { snippet: program }) };
  const asking =
    via === "edge"
      ? session.link(request, signal)
      : session.files.presign({ operation: "GetObject", ...request }, { signal });
  const answer = (await asking) as Presigned & { snippet?: string };
  const secret = Object.entries(answer.headers).find(([name]) => name.toLowerCase() === KEY_HEADER)?.[1];
  const text = answer.snippet ?? plainly(answer);
  return [
    h(
      "p",
      { class: "hint" },
      secret === undefined
        ? "No key is in it: the edge has it, and adds it itself. Whoever has the address has the object"
        : "It holds this object's key, in a header: the store asks for it, and whoever has both has the object",
      ", until ",
      when(answer.expiresAt),
      ".",
    ),
    code(text, secret),
  ];
}

function plainly({ method, url, headers }: Presigned): string {
  const { pathname, host, search } = new URL(url);
  const query = new URLSearchParams(search);
  const lines = [...query].map(([name, value], i) => `  ${i === 0 ? "?" : "&"}${name}=${value}`);
  return [
    `${method} ${pathname}`,
    `host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "",
    "with, in its address,",
    ...lines,
  ].join("\n");
}

function code(text: string, secret?: string): HTMLElement {
  const masked = () => (secret === undefined ? text : text.replaceAll(secret, MASK));
  const pre = h("pre", { tabindex: 0, role: "region", "aria-label": "To copy" }, masked());
  let isShown = false;
  const reveal = button("Show the key", () => {
    isShown = !isShown;
    pre.textContent = isShown ? text : masked();
    reveal.textContent = isShown ? "Hide the key" : "Show the key";
  });
  return h(
    "div",
    { class: "code" },
    pre,
    h(
      "div",
      { class: "actions" },
      secret !== undefined && reveal,
      copyButton(() => text, secret === undefined ? "Copy" : "Copy with the key"),
    ),
  );
}

/** S3's own clients sign by themselves, with the caller's name and token, which are not written here. */
function awsCli({ me, url }: Session, { bucket, key }: Target): Child[] {
  const isUser = me.subject !== undefined;
  const file = `./${key.split("/").at(-1) || "object"}`;
  const lines = isUser
    ? [`eval "$(SSEC_TOKEN=$TOKEN ssec --url ${quoted(url)} credentials --export)"`]
    : [
        `export AWS_ACCESS_KEY_ID=${quoted(me.caller)} AWS_SECRET_ACCESS_KEY="$TOKEN" AWS_DEFAULT_REGION=us-east-1`,
      ];
  const command = `aws --endpoint-url ${quoted(`${url}s3`)} s3 cp ${quoted(`s3://${bucket}/${key}`)} ${quoted(file)}`;
  return [
    h(
      "p",
      { class: "hint" },
      "Through the edge, for any client of S3: no key leaves it. TOKEN is your own token.",
    ),
    code([...lines, command].join("\n")),
  ];
}

export function quoted(word: string): string {
  return /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function reasonOf(error: unknown): unknown {
  return error instanceof SsecError && error.code === "unavailable"
    ? "Links of the edge are not set up for users here: the operator binds GATEWAY_SECRET."
    : error;
}
