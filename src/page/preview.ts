/** What an object looks like, by a link of the edge: the page is given no key for it. */
import type { Head } from "../client/index.ts";
import { failure, h } from "./dom.ts";
import { bytes, nameOf, visible } from "./format.ts";
import { linkTo } from "./link.ts";
import type { Session } from "./session.ts";

/** Bytes of a text that are shown. */
const SHOWN = 64 * 1024;
/** Bytes of a document, which is held as a whole. */
const HELD = 50 * 2 ** 20;

type Kind = "image" | "video" | "audio" | "pdf" | "text";

/** By its type, and where that says nothing by its name; undefined for what is only downloaded. */
export function kindOf(key: string, contentType = ""): Kind | undefined {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  const [main] = type.split("/");
  if (main === "image" || main === "video" || main === "audio") return main;
  if (type === "application/pdf") return "pdf";
  if (main === "text" || /^application\/(.*\+)?(json|xml|yaml|toml|javascript|sql)$/.test(type))
    return "text";
  if (type && type !== "application/octet-stream" && type !== "binary/octet-stream") return undefined;
  const extension = /\.(\w+)$/.exec(key)?.[1]?.toLowerCase() ?? "";
  return BY_NAME[extension];
}

const BY_NAME: Readonly<Record<string, Kind>> = {
  ...{ png: "image", jpg: "image", jpeg: "image", gif: "image", webp: "image", avif: "image", svg: "image" },
  ...{ mp4: "video", webm: "video", mov: "video", mp3: "audio", ogg: "audio", wav: "audio", flac: "audio" },
  ...{
    pdf: "pdf",
    txt: "text",
    md: "text",
    csv: "text",
    json: "text",
    log: "text",
    xml: "text",
    yaml: "text",
  },
  ...{ yml: "text", toml: "text", js: "text", ts: "text", html: "text", css: "text", sql: "text" },
};

export interface Previewed {
  readonly bucket: string;
  readonly key: string;
}

/** Nothing where there is no way to show it. */
export async function preview(
  session: Session,
  { bucket, key }: Previewed,
  { contentType, size }: Head,
  signal: AbortSignal,
): Promise<HTMLElement | undefined> {
  const kind = kindOf(key, contentType);
  if (kind === undefined || size === 0) return undefined;
  const name = visible(nameOf(key));
  if (kind === "text") return text(session, { bucket, key }, size, name, signal);
  if (kind === "pdf") {
    if (size > HELD) return undefined;
    // The edge lets nothing that was uploaded run, which a browser's viewer of PDF counts as: it is given a copy.
    const got = await session.files.download({ bucket, key, via: "edge", signal });
    const url = URL.createObjectURL(new Blob([await got.blob()], { type: "application/pdf" }));
    signal.addEventListener("abort", () => URL.revokeObjectURL(url));
    return h("iframe", { src: `${url}#navpanes=0`, title: `Preview of ${name}` });
  }
  // A type that was not kept is named, or the browser would not show what it must not guess.
  const named = contentType?.startsWith(kind)
    ? undefined
    : TYPES[/\.(\w+)$/.exec(key)?.[1]?.toLowerCase() ?? ""];
  const src = await linkTo(session, { bucket, key, ...(named && { contentType: named }) }, signal);
  const failed = (event: Event) =>
    (event.target as Element).replaceWith(failure(`This browser cannot show this ${kind}.`));
  if (kind === "image") return h("img", { src, alt: `Preview of ${name}`, onerror: failed });
  return h(kind, {
    src,
    controls: true,
    preload: "metadata",
    "aria-label": `Preview of ${name}`,
    onerror: failed,
  });
}

const TYPES: Readonly<Record<string, string>> = {
  ...{ png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp" },
  ...{ avif: "image/avif", svg: "image/svg+xml", mp4: "video/mp4", webm: "video/webm", mov: "video/mp4" },
  ...{ mp3: "audio/mpeg", ogg: "audio/ogg", wav: "audio/wav", flac: "audio/flac" },
};

async function text(
  session: Session,
  object: Previewed,
  size: number,
  name: string,
  signal: AbortSignal,
): Promise<HTMLElement> {
  const range = size > SHOWN ? { range: { start: 0, end: SHOWN - 1 } } : {};
  const got = await session.files.download({ ...object, ...range, via: "edge", signal });
  const content = new TextDecoder().decode(await got.bytes());
  return h(
    "div",
    { class: "text" },
    h("pre", { tabindex: 0, role: "region", "aria-label": `Preview of ${name}` }, content),
    size > SHOWN && h("p", { class: "hint" }, `The first ${bytes(SHOWN)} of ${bytes(size)}.`),
  );
}
