/** The page at `/`: who is signed in, which view is shown, and what all views share. */
import { SsecError } from "../client/index.ts";
import { dropped } from "./chosen.ts";
import { ask } from "./dialog.ts";
import { announce, button, choice, empty, failure, h } from "./dom.ts";
import { filesView, type StoredObject, type View } from "./files.ts";
import { nameOf, visible } from "./format.ts";
import { edgeLink, follow, save } from "./link.ts";
import { openObject } from "./object.ts";
import { hashOf, type Place, placeOf } from "./place.ts";
import { foldersOf, forget, isAdmin, kept, may, type Session, signIn, tokenOfLink } from "./session.ts";
import { signInView } from "./sign-in.ts";
import { type Chosen, type Transfer, Transfers, type Via } from "./transfers.ts";
import { transfersPanel } from "./transfers-panel.ts";

/** Milliseconds after an upload in which others may come that are shown by the same list. */
const SETTLED = 400;

const main = document.querySelector("main") as HTMLElement;
const bar = document.querySelector("body > header") as HTMLElement;

async function start(): Promise<void> {
  const link = tokenOfLink();
  // Who is signed in here stays so, whatever link somebody has sent.
  const token = kept() ?? link;
  if (token === null || token === undefined) return showSignIn();
  try {
    show(await signIn(token));
  } catch (error) {
    if (error instanceof SsecError && error.code === "unauthenticated") forget();
    showSignIn(error);
  }
}

function showSignIn(reason?: unknown): void {
  bar.replaceChildren(brand());
  main.replaceChildren(signInView(show, reason));
  main.querySelector("input")?.focus();
}

const brand = () => h("span", { class: "brand" }, "ssec-edge");

function show(session: Session): void {
  const places = foldersOf(session.me);
  let via: Via = "store";
  let view: View | undefined;
  /** Of an object, its folder. */
  let place: Exclude<Place, { view: "object" }> | undefined;
  let sheet: HTMLDialogElement | undefined;
  /** What was chosen in the list: it need not be asked about. */
  let picked: StoredObject | undefined;
  let opening = 0;
  let returning: Promise<unknown> = Promise.resolve();
  let leaving = new AbortController();
  let replacesAll: boolean | undefined;
  let asking: Promise<unknown> = Promise.resolve();
  let settling: ReturnType<typeof setTimeout>;

  const transfers = new Transfers(session, {
    via: () => via,
    changed: () => panel.changed(),
    save,
    done: (item) => {
      announce(`${nameOf(item.key)} is ${item.direction === "up" ? "uploaded" : "downloaded"}.`);
      if (item.direction === "down" || place?.view !== "files" || item.bucket !== place.bucket) return;
      if (!item.key.startsWith(place.prefix)) return;
      clearTimeout(settling);
      settling = setTimeout(() => view?.refresh?.(), SETTLED);
    },
    failed: (item) => announce(`${nameOf(item.key)} failed: ${item.error}`),
    // One question at a time; an answer for all counts until the next files are chosen.
    mayReplace: (item) => {
      const answer = asking.then(() => replacesAll ?? mayReplace(item));
      asking = answer;
      return answer;
    },
  });
  const panel = transfersPanel(() => transfers);
  panel.changed();

  async function mayReplace(item: Transfer): Promise<boolean> {
    const { isYes, also } = await ask({
      title: `Replace ${visible(nameOf(item.key))}?`,
      text: `There is an object ${visible(item.key)} in ${visible(item.bucket)} already.`,
      yes: "Replace",
      no: "Keep it",
      isGrave: true,
      also: "The same for all that are there already",
    });
    if (also) replacesAll = isYes;
    return isYes;
  }

  const hooks = {
    via: () => via,
    upload: (chosen: readonly Chosen[], bucket: string, prefix: string) => {
      replacesAll = undefined;
      transfers.upload(chosen, bucket, prefix);
    },
    download: async (object: StoredObject) => {
      const { bucket, key, size } = object;
      if (via === "store") return transfers.download(bucket, key, size);
      try {
        // The browser itself saves it, however large it is.
        const contentDisposition = `attachment; filename*=UTF-8''${encodeURIComponent(nameOf(key)).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`;
        const link = await edgeLink(session, { bucket, key, contentDisposition });
        if (link === undefined) transfers.download(bucket, key, size);
        else follow(link, key);
      } catch (error) {
        announce(`${nameOf(key)} failed: ${(error as Error).message}`);
        main.prepend(failure(error));
      }
    },
    open: async (object: StoredObject) => {
      await returning;
      picked = object;
      location.hash = hashOf({ view: "object", bucket: object.bucket, key: object.key });
    },
  };

  /** An object has an address of its own, so that back closes it, and a reload or a link opens it. */
  async function openAt(bucket: string, key: string, signal: AbortSignal): Promise<void> {
    const mine = ++opening;
    const isPicked = picked?.bucket === bucket && picked.key === key;
    try {
      const object = isPicked && picked ? picked : await known(bucket, key, signal);
      if (signal.aborted || mine !== opening) return;
      document.title = `${visible(nameOf(key))} · ssec-edge`;
      const opened = openObject(session, object, {
        via: () => via,
        download: hooks.download,
        removed: () => view?.refresh?.(),
        closed: () => {
          if (sheet !== opened || place === undefined) return;
          sheet = undefined;
          document.title = `${titleOf(place)} · ssec-edge`;
          if (isPicked) {
            returning = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
            history.back();
          } else history.replaceState(null, "", hashOf(place));
        },
      });
      sheet = opened;
    } catch (error) {
      if (!signal.aborted) view?.element.prepend(failure(error));
    }
    picked = undefined;
  }

  async function known(bucket: string, key: string, signal: AbortSignal): Promise<StoredObject> {
    const { size, lastModified = "" } = await session.files.head({ bucket, key, signal });
    return { bucket, key, size, lastModified };
  }

  function folderOf(bucket: string, key: string): { view: "files"; bucket: string; prefix: string } {
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    const { prefix = "" } = places.find((one) => one.bucket === bucket && key.startsWith(one.prefix)) ?? {};
    return { view: "files", bucket, prefix: prefix.length > folder.length ? prefix : folder };
  }

  const nav = h("nav", { class: "views", "aria-label": "Views" });
  const drawNav = () => {
    const links: [string, Place][] = [
      ...places.map(({ bucket, prefix }): [string, Place] => [
        visible(prefix ? `${bucket}/${prefix}` : bucket),
        { view: "files", bucket, prefix },
      ]),
      ...(isAdmin(session.me)
        ? ([
            ["Keys", { view: "keys" }],
            ["Rotations", { view: "rotations" }],
            ["Trail", { view: "trail" }],
          ] as [string, Place][])
        : []),
    ];
    nav.replaceChildren(
      ...links.map(([text, to]) =>
        h("a", { href: hashOf(to), "aria-current": isWithin(to, place) && "page" }, text),
      ),
    );
    // On a phone not all of them are in sight.
    nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  async function go(): Promise<void> {
    opening++;
    const closing = sheet;
    sheet = undefined;
    closing?.close();
    const [first] = places;
    const to =
      placeOf(location.hash) ??
      (first
        ? { view: "files", bucket: first.bucket, prefix: first.prefix }
        : isAdmin(session.me)
          ? ({ view: "keys" } as const)
          : undefined);
    const folder = to?.view === "object" ? folderOf(to.bucket, to.key) : to;
    const isThere = place !== undefined && folder !== undefined && hashOf(place) === hashOf(folder);
    place = folder;
    drawNav();
    document.title = `${place === undefined ? "" : `${titleOf(place)} · `}ssec-edge`;
    // A list stays as it is behind an object, with what was loaded and what had the focus.
    if (isThere) {
      if (to?.view === "object") await openAt(to.bucket, to.key, leaving.signal);
      return;
    }
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    if (place === undefined) {
      view = undefined;
      return main.replaceChildren(
        empty(
          "folder",
          "Nothing to see",
          "This caller may read and write no bucket. The operator gives grants in CALLERS.",
        ),
        panel.element,
      );
    }
    if (place.view === "files") view = filesView(session, place, hooks, signal);
    else {
      const { view: name } = place;
      try {
        const { adminView } = await import("./admin.ts");
        if (signal.aborted) return;
        view = adminView(name, session, signal);
      } catch {
        // A browser says no more than that the file did not come.
        if (signal.aborted) return;
        const said = failure(
          "This part of the page did not come: the service was renewed since, or does not answer",
        );
        view = {
          element: h(
            "div",
            { class: "said" },
            h("h1", {}, titleOf(place)),
            said,
            button("Reload", () => location.reload()),
          ),
        };
      }
    }
    main.replaceChildren(view.element, panel.element);
    if (to?.view === "object") await openAt(to.bucket, to.key, signal);
  }

  const again = h(
    "section",
    { class: "ended", "aria-label": "Signing in again" },
    failure(
      "Your token counts no longer. Sign in again; an upload in parts then goes on once you have chosen its file",
    ),
    button("Sign in again", () => out(), { kind: "primary" }),
  );
  void session.ended.then(() => {
    if (!ending.signal.aborted) bar.after(again);
  });
  const out = () => {
    again.remove();
    transfers.stop();
    leaving.abort();
    ending.abort();
    forget();
    history.replaceState(null, "", location.pathname);
    document.title = "ssec-edge";
    showSignIn();
  };
  const keeping: HTMLInputElement = h("input", {
    type: "checkbox",
    checked: session.isKept,
    onchange: () => session.keep(keeping.checked),
  });
  const { caller, subject } = session.me;
  bar.replaceChildren(
    brand(),
    nav,
    h(
      "details",
      { class: "account" },
      h("summary", {}, h("span", {}, visible(subject ?? caller))),
      h(
        "div",
        { class: "menu" },
        h(
          "p",
          { class: "hint" },
          subject === undefined
            ? `Signed in as ${visible(caller)}`
            : `Signed in as ${visible(subject)}, by ${visible(caller)}`,
        ),
        h("p", { id: "via-hint" }, "Files go"),
        choice<Via>(
          "How files go",
          { store: "straight to the store", edge: "through the edge" },
          via,
          (value) => {
            via = value;
          },
        ),
        h(
          "p",
          { class: "hint" },
          "Straight to the store, this browser holds an object's key while it sends or reads it. Through the edge it never sees one.",
        ),
        h("label", { class: "tick" }, keeping, h("span", {}, "Stay signed in until this tab is closed")),
        button("Sign out", out),
      ),
    ),
  );

  const ending = new AbortController();
  addEventListener("hashchange", () => void go(), { signal: ending.signal });
  addEventListener("beforeunload", (event) => transfers.isBusy && event.preventDefault(), {
    signal: ending.signal,
  });
  takeDrops(ending.signal, (chosen) => {
    if (place?.view !== "files") return announce("Open a folder first.");
    if (!may(session.me, "write", place.bucket, place.prefix + (chosen[0]?.path ?? "")))
      return main.prepend(failure("You may not write here"));
    hooks.upload(chosen, place.bucket, place.prefix);
  });
  void go();
}

const titleOf = (place: Exclude<Place, { view: "object" }>): string =>
  place.view === "files"
    ? visible(nameOf(place.prefix) || place.bucket)
    : { keys: "Keys", rotations: "Rotations", trail: "Trail" }[place.view];

function isWithin(link: Place, place: Place | undefined): boolean {
  if (link.view !== "files" || place?.view !== "files") return link.view === place?.view;
  return link.bucket === place.bucket && place.prefix.startsWith(link.prefix);
}

/** Files may be dropped anywhere; what is not a file is left to the browser. */
function takeDrops(signal: AbortSignal, take: (chosen: Chosen[]) => void): void {
  let depth = 0;
  const lit = (isLit: boolean) => document.body.classList.toggle("dropping", isLit);
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragenter", (event) => hasFiles(event) && lit(++depth > 0), { signal });
  addEventListener("dragleave", (event) => hasFiles(event) && lit(--depth > 0), { signal });
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault(), { signal });
  addEventListener(
    "drop",
    async (event) => {
      if (!event.dataTransfer || !hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      lit(false);
      try {
        take(await dropped(event.dataTransfer));
      } catch (error) {
        main.prepend(failure(error));
      }
    },
    { signal },
  );
}

void start();
