/** A folder of a bucket: what is in it, and under which key each object is. */
import { type Listed, SsecError } from "../client/index.ts";
import { chosenBy } from "./chosen.ts";
import { button, empty, failure, h, icon, messageOf } from "./dom.ts";
import { bytes, visible, when } from "./format.ts";
import { hashOf } from "./place.ts";
import { foldersOf, may, type Session } from "./session.ts";
import type { Chosen } from "./transfers.ts";

export interface FilesHooks {
  readonly upload: (chosen: readonly Chosen[], bucket: string, prefix: string) => void;
  readonly download: (object: StoredObject) => void;
  readonly open: (object: StoredObject) => void;
}

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly lastModified: string;
}

/** Objects of one answer. */
const PAGE = 100;
/** Milliseconds that somebody may take between two letters. */
const TYPING = 250;

export interface View {
  readonly element: HTMLElement;
  /** Shows what is there by now. */
  refresh?(): void;
}

export function filesView(
  session: Session,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  hooks: FilesHooks,
  signal: AbortSignal,
): View {
  const isReader = may(session.me, "read", bucket, prefix);
  const isWriter = session.me.grants.some(
    (grant) =>
      grant.bucket === bucket &&
      grant.allow.includes("write") &&
      (prefix.startsWith(grant.prefix) || grant.prefix.startsWith(prefix)),
  );
  const body = h("tbody");
  const table = h(
    "table",
    { class: "objects" },
    h("caption", { class: "unseen" }, `What is in ${visible(prefix || bucket)}`),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Name"),
        h("th", { scope: "col", class: "size" }, "Size"),
        h("th", { scope: "col", class: "when" }, "Changed"),
        h("th", { scope: "col", class: "under" }, "Key"),
        h("th", { scope: "col", class: "actions" }, h("span", { class: "unseen" }, "Actions")),
      ),
    ),
    body,
  );
  const said = h("div", { class: "said" });
  const more = button("Show more", () => load(), { hidden: true });
  const search = h("input", {
    type: "search",
    placeholder: "Begins with …",
    "aria-label": "Search by the beginning of the name",
    autocomplete: "off",
    spellcheck: "false",
  });
  let typing: ReturnType<typeof setTimeout>;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(refresh, TYPING);
  });
  const looking = keyLookup(session, signal);

  let cursor: string | undefined;
  let latest = 0;
  async function load(isAnew = false): Promise<void> {
    if (isWriter && !isReader) {
      table.hidden = true;
      return said.replaceChildren(
        empty(
          "upload",
          "You may put files here",
          "What is here is not for you to see. Drop files or folders anywhere on this page, or choose them.",
        ),
      );
    }
    latest++;
    const mine = latest;
    more.disabled = true;
    table.setAttribute("aria-busy", "true");
    try {
      const listed = await session.files.list({
        ...{ bucket, prefix: prefix + search.value, delimiter: "/", limit: PAGE, signal },
        ...(!isAnew && cursor !== undefined && { cursor }),
      });
      // Somebody has typed on since.
      if (mine !== latest) return;
      cursor = listed.cursor;
      if (isAnew) body.replaceChildren();
      show(listed);
    } catch (error) {
      if (signal.aborted || mine !== latest) return;
      body.replaceChildren();
      table.hidden = true;
      said.replaceChildren(failure(error), button("Try again", refresh));
    } finally {
      if (mine === latest) {
        more.disabled = false;
        table.removeAttribute("aria-busy");
      }
    }
  }

  function show({ objects, prefixes = [] }: Listed): void {
    body.append(
      ...prefixes.map(folderRow),
      // A name that is the folder's own marks an empty one, as other tools make them.
      ...objects.filter(({ key }) => key !== prefix).map((object) => objectRow({ bucket, ...object })),
    );
    more.hidden = cursor === undefined;
    const isEmpty = body.childElementCount === 0 && cursor === undefined;
    table.hidden = body.childElementCount === 0;
    said.replaceChildren(...(isEmpty ? [nothing()] : []));
  }

  function nothing(): HTMLElement {
    if (search.value)
      return empty(
        "search",
        "Nothing begins so",
        `No name in this folder begins with “${visible(search.value)}”.`,
      );
    return isWriter
      ? empty("upload", "Nothing is here yet", "Drop files or folders anywhere on this page, or choose them.")
      : empty("folder", "Nothing is here", "There is no object in this folder.");
  }

  function folderRow(folder: string): HTMLTableRowElement {
    const name = `${visible(folder.slice(prefix.length).replace(/\/$/, ""))}/`;
    return h(
      "tr",
      { class: "folder" },
      h(
        "th",
        { scope: "row", colspan: 5 },
        h(
          "a",
          { class: "name", href: hashOf({ view: "files", bucket, prefix: folder }) },
          icon("folder"),
          h("span", {}, name),
        ),
      ),
    );
  }

  function objectRow(object: StoredObject): HTMLTableRowElement {
    const name = visible(object.key.slice(prefix.length));
    const under = h("td", { class: "under" }, h("span", { class: "badge pending" }, "…"));
    const row = h(
      "tr",
      {},
      h(
        "th",
        { scope: "row" },
        h(
          "button",
          { type: "button", class: "name", onclick: () => hooks.open(object) },
          icon("file"),
          h("span", {}, name),
          h("small", {}, bytes(object.size), " · ", when(object.lastModified)),
        ),
      ),
      h("td", { class: "size" }, bytes(object.size)),
      h("td", { class: "when" }, when(object.lastModified)),
      under,
      h(
        "td",
        { class: "actions" },
        button(`Download ${name}`, () => hooks.download(object), {
          picture: "download",
          bare: true,
          kind: "quiet",
        }),
      ),
    );
    looking(row, object, (badge) => under.replaceChildren(badge));
    return row;
  }

  const refresh = () => void load(true);
  refresh();
  const file: HTMLInputElement = h("input", {
    ...{ type: "file", multiple: true, class: "unseen", tabindex: -1, "aria-label": "Files to upload" },
    onchange: () => take(file),
  });
  const folder: HTMLInputElement = h("input", {
    ...{
      type: "file",
      webkitdirectory: true,
      class: "unseen",
      tabindex: -1,
      "aria-label": "Folder to upload",
    },
    onchange: () => take(folder),
  });
  const take = (input: HTMLInputElement) => {
    hooks.upload(chosenBy(input), bucket, prefix);
    input.value = "";
  };
  const element = h(
    "div",
    { class: "files" },
    h(
      "div",
      { class: "toolbar" },
      breadcrumbs(session, bucket, prefix),
      (isReader || !isWriter) && h("label", { class: "search" }, icon("search"), search),
      h(
        "div",
        { class: "actions" },
        button("Refresh", refresh, { picture: "refresh", bare: true, kind: "quiet" }),
        isWriter && button("Upload folder", () => folder.click(), { picture: "folder" }),
        isWriter && button("Upload files", () => file.click(), { picture: "upload", kind: "primary" }),
      ),
      isWriter && file,
      isWriter && folder,
    ),
    table,
    said,
    more,
  );
  return { element, refresh };
}

function breadcrumbs(session: Session, bucket: string, prefix: string): HTMLElement {
  // Above the prefix of a grant there is nothing to see.
  const root =
    foldersOf(session.me).find((place) => place.bucket === bucket && prefix.startsWith(place.prefix))
      ?.prefix ?? "";
  // "a//b/" is a folder without a name in between.
  const below = prefix.slice(root.length).split("/").slice(0, -1);
  const crumbs: [string, string][] = [
    [visible(root ? `${bucket}/${root}` : bucket), root],
    ...below.map((name, i): [string, string] => [
      visible(name) || "(no name)",
      `${root}${below.slice(0, i + 1).join("/")}/`,
    ]),
  ];
  return h(
    "nav",
    { class: "crumbs", "aria-label": "Folder" },
    h(
      "ol",
      {},
      ...crumbs.map(([name, at], i) =>
        h(
          "li",
          {},
          i === crumbs.length - 1
            ? h("h1", { "aria-current": "page" }, name)
            : h("a", { href: hashOf({ view: "files", bucket, prefix: at }) }, name),
        ),
      ),
    ),
  );
}

/** Objects asked for at once. */
const LOOKING = 3;

/** Asks for an object's key when its row comes into sight. */
function keyLookup(session: Session, signal: AbortSignal) {
  const waiting: (() => Promise<void>)[] = [];
  let busy = 0;
  const next = async () => {
    if (busy >= LOOKING) return;
    const look = waiting.shift();
    if (!look || signal.aborted) return;
    busy++;
    await look();
    busy--;
    void next();
  };
  const tasks = new WeakMap<Element, () => Promise<void>>();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const task = tasks.get(target);
      if (!isIntersecting || !task) continue;
      observer.unobserve(target);
      waiting.push(task);
      void next();
    }
  });
  signal.addEventListener("abort", () => observer.disconnect());
  return (row: Element, { bucket, key }: StoredObject, show: (badge: HTMLElement) => void) => {
    tasks.set(row, async () => {
      try {
        const { keyId } = await session.files.head({ bucket, key, signal });
        show(keyBadge(keyId));
      } catch (error) {
        if (!signal.aborted) show(keyFault(error));
      }
    });
    observer.observe(row);
  };
}

export const keyBadge = (keyId: string) => h("span", { class: "badge" }, icon("lock"), keyId);

export function keyFault(error: unknown): HTMLElement {
  const words: Record<string, string> = { "not-encrypted": "not encrypted", "key-unknown": "unknown key" };
  const code = error instanceof SsecError ? error.code : "";
  return h("span", { class: "badge bad", title: messageOf(error) }, words[code] ?? (code || "not known"));
}
