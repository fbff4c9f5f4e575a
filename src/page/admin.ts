/** What admins see: keys, rotations, the trail. Loaded when one of them is opened. */
import { ask } from "./dialog.ts";
import { announce, button, type Child, empty, failure, h } from "./dom.ts";
import type { View } from "./files.ts";
import { bytes, count, visible, when } from "./format.ts";
import { type Refusal, refusalsPlot } from "./plot.ts";
import type { Session } from "./session.ts";

export function adminView(view: "keys" | "rotations" | "trail", session: Session, signal: AbortSignal): View {
  return { keys: keysView, rotations: rotationsView, trail: trailView }[view](session, signal);
}

/** A heading, and below it what `load` gives, anew at each refresh. */
function loaded(
  title: string,
  text: string,
  signal: AbortSignal,
  load: () => Promise<readonly Child[]>,
): View & { refresh(): Promise<void> } {
  const body = h("div", { class: "loaded", "aria-busy": "true" });
  const refresh = async () => {
    body.setAttribute("aria-busy", "true");
    try {
      const parts = await load();
      body.replaceChildren(...parts.filter((part) => part !== undefined && part !== false));
    } catch (error) {
      if (!signal.aborted) body.replaceChildren(failure(error));
    }
    body.removeAttribute("aria-busy");
  };
  void refresh();
  return { element: headed(title, text, refresh, body), refresh };
}

/** A view: its heading, and what is below it. */
function headed(
  title: string,
  text: string,
  refresh: () => void | Promise<void>,
  ...parts: Child[]
): HTMLDivElement {
  return h(
    "div",
    { class: "admin" },
    h(
      "div",
      { class: "toolbar" },
      h("div", {}, h("h1", {}, title), h("p", { class: "hint" }, text)),
      h(
        "div",
        { class: "actions" },
        button("Refresh", refresh, { picture: "refresh", bare: true, kind: "quiet" }),
      ),
    ),
    ...parts,
  );
}

interface Key {
  readonly id: string;
  readonly buckets: readonly string[];
  readonly mode: string;
  readonly state: "active" | "readable" | "pending" | "invalid";
  readonly reason?: string;
  readonly md5?: string;
  readonly notBefore?: string;
  readonly writeUntil?: string;
  readonly neededBy?: {
    readonly objects: number;
    readonly olderVersions: number;
    readonly scannedAt: string;
    readonly complete: boolean;
    readonly removable: boolean;
  };
}

const STATES = {
  active: ["good", "writes and reads"],
  readable: ["", "reads only"],
  pending: ["", "not yet"],
  invalid: ["bad", "cannot be used"],
} as const;

function keysView(session: Session, signal: AbortSignal): View {
  return loaded(
    "Keys",
    "Their states, and what still needs them. No key is ever shown.",
    signal,
    async () => {
      const { keys } = await session.ask<{ keys: Key[] }>("/v1/keys", undefined, signal);
      if (keys.length === 0) return [empty("key", "No key yet", "ssec keygen makes one.")];
      return [h("div", { class: "cards" }, ...keys.map(keyCard))];
    },
  );
}

function keyCard(key: Key): HTMLElement {
  const [kind, words] = STATES[key.state];
  return h(
    "article",
    { class: "card" },
    h("header", {}, h("h2", {}, visible(key.id)), h("span", { class: `badge ${kind}` }, words)),
    key.reason !== undefined && h("p", { class: "failure" }, visible(key.reason)),
    facts(
      ["Buckets", visible(key.buckets.join(", ")) || "none"],
      [
        "Kind",
        key.mode === "derived" ? "root: every object has a key of its own" : "one key for all objects",
      ],
      key.notBefore !== undefined && ["From", when(key.notBefore)],
      key.writeUntil !== undefined && ["Writes until", when(key.writeUntil)],
      key.md5 !== undefined && ["MD5", h("code", {}, key.md5)],
    ),
    h("p", { class: "needed" }, ...neededWords(key)),
  );
}

function neededWords({ neededBy, buckets }: Key): Child[] {
  if (!neededBy)
    return [
      "Not scanned yet: ",
      h("code", {}, `ssec keys scan ${visible(buckets[0] ?? "BUCKET")}`),
      " counts what needs it.",
    ];
  const { objects, olderVersions, scannedAt, complete, removable } = neededBy;
  const older = olderVersions > 0 ? ` and ${count(olderVersions)} older versions` : "";
  return [
    h("strong", {}, `${count(objects)} object${objects === 1 ? "" : "s"}${older}`),
    ` need${objects === 1 && !older ? "s" : ""} it, as of `,
    when(scannedAt),
    complete ? "." : "; not everything was seen.",
    removable && " It may go.",
  ];
}

type Fact = readonly [string, Node | string] | false;

function facts(...all: readonly Fact[]): HTMLElement {
  const rows = all
    .filter((fact) => fact !== false)
    .map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)));
  return h("dl", {}, ...rows);
}

interface Rotation {
  readonly id: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly to: string;
  readonly dryRun: boolean;
  readonly state: "running" | "done" | "failed" | "cancelled";
  readonly reason?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly listed: number;
  readonly rotated: number;
  readonly skipped: number;
  readonly failed: number;
  readonly bytes: number;
  readonly found: Readonly<Record<string, number>>;
}

/** Milliseconds between two looks at one that runs. */
const LOOK = 3000;

function rotationsView(session: Session, signal: AbortSignal): View {
  const view = loaded(
    "Rotations",
    "A bucket from its old keys to the one that writes. A dry run counts and changes nothing.",
    signal,
    async () => {
      const { rotations } = await session.ask<{ rotations: Rotation[] }>("/v1/rotations", undefined, signal);
      if (rotations.some(({ state }) => state === "running"))
        setTimeout(() => {
          if (!signal.aborted) void view.refresh();
        }, LOOK);
      const buckets = [
        ...new Set(
          session.me.grants.filter(({ allow }) => allow.includes("admin")).map(({ bucket }) => bucket),
        ),
      ];
      return [
        h("div", { class: "actions start" }, ...buckets.map((bucket) => starter(bucket))),
        rotations.length === 0
          ? empty("key", "No rotation yet", "A dry run tells which object is under which key.")
          : h("div", { class: "cards" }, ...rotations.map(rotationCard)),
      ];
    },
  );
  const starter = (bucket: string) =>
    button(`Dry run of ${visible(bucket)}`, () =>
      acted(() => session.ask("/v1/rotations", { bucket, dryRun: true }), "The dry run has begun."),
    );
  const acted = async (act: () => Promise<unknown>, words: string) => {
    try {
      await act();
      announce(words);
      await view.refresh();
    } catch (error) {
      view.element.append(failure(error));
    }
  };
  const cancel = async (rotation: Rotation) => {
    const { isYes } = await ask({
      title: "Cancel this rotation?",
      text: "What is rotated stays so, and it can be resumed later.",
      yes: "Cancel the rotation",
      no: "Let it run",
    });
    if (isYes) await acted(() => session.send("DELETE", `/v1/rotations/${rotation.id}`), "It is cancelled.");
  };
  const resume = (rotation: Rotation) =>
    acted(() => session.send("POST", `/v1/rotations/${rotation.id}/resume`), "It goes on.");

  function rotationCard(rotation: Rotation): HTMLElement {
    const { bucket, prefix, to, dryRun, state, reason, listed, rotated, skipped, failed } = rotation;
    const looked = rotated + skipped + failed;
    const kind = state === "done" ? (failed > 0 ? "bad" : "good") : state === "failed" ? "bad" : "";
    const found = Object.entries(rotation.found).filter(([, objects]) => objects > 0);
    const name = `${bucket}${prefix ? `/${prefix}` : ""}`;
    return h(
      "article",
      { class: "card" },
      h(
        "header",
        {},
        h("h2", {}, visible(dryRun ? `${name}, dry run` : `${name} to ${to}`)),
        h("span", { class: `badge ${kind}` }, state),
      ),
      h("progress", {
        max: 1,
        ...(state === "running" && listed === 0
          ? {}
          : { value: listed === 0 ? 1 : Math.min(1, looked / listed) }),
        "aria-label": `Progress of the rotation of ${visible(name)}`,
      }),
      h(
        "p",
        { class: "needed" },
        `${count(looked)} of ${count(listed)} objects · ${count(rotated)} ${dryRun ? "to rotate" : "rotated"}, ${count(failed)} failed · ${bytes(rotation.bytes)}`,
      ),
      reason !== undefined && h("p", { class: "hint" }, visible(reason)),
      facts(
        ["Begun", when(rotation.startedAt)],
        rotation.endedAt !== undefined && ["Ended", when(rotation.endedAt)],
        found.length > 0 && [
          "Found under",
          visible(found.map(([id, objects]) => `${id}: ${count(objects)}`).join(" · ")),
        ],
      ),
      h(
        "div",
        { class: "actions start" },
        state === "running" && button("Cancel", () => cancel(rotation)),
        (state === "failed" || state === "cancelled") && button("Resume", () => resume(rotation)),
      ),
    );
  }
  return view;
}

interface Event extends Refusal {
  readonly id: string;
  readonly caller?: string;
  readonly subject?: string;
  readonly operation?: string;
  readonly bucket?: string;
  readonly key?: string;
  readonly keyId?: string;
  readonly via?: string;
  readonly ip?: string;
}

const OUTCOMES = { "": "Any outcome", allowed: "Allowed", denied: "Denied", failed: "Failed" };
/** Milliseconds. */
const DAY = 86_400_000;

function trailView(session: Session, signal: AbortSignal): View {
  const rows = h("tbody");
  const said = h("div", { class: "said" });
  const plot = h("div", { class: "plot" });
  const more = button("Show more", () => load(false), { hidden: true });
  const outcome = h(
    "select",
    { "aria-label": "Outcome", name: "outcome" },
    ...Object.entries(OUTCOMES).map(([value, text]) => h("option", { value }, text)),
  );
  const form = h(
    "form",
    { class: "filters", role: "search", "aria-label": "Filter the trail" },
    outcome,
    ...["bucket", "key", "keyId", "caller", "operation"].map((name) =>
      h("input", {
        name,
        type: "text",
        placeholder: LABELS[name],
        "aria-label": LABELS[name],
        autocomplete: "off",
      }),
    ),
    h("input", { name: "since", type: "date", "aria-label": "Since" }),
    h("button", { type: "submit", class: "button" }, "Filter"),
    h("button", { type: "reset", class: "button quiet" }, "Clear"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void load(true);
  });
  // The fields are empty only after it.
  form.addEventListener("reset", () => setTimeout(() => load(true)));

  let cursor: string | undefined;
  async function load(isAnew: boolean): Promise<void> {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) query.set(name, String(value));
    if (!isAnew && cursor) query.set("cursor", cursor);
    try {
      const answer = await session.ask<{ events: Event[]; cursor?: string }>(
        `/v1/audit?${query}`,
        undefined,
        signal,
      );
      cursor = answer.cursor;
      if (isAnew) rows.replaceChildren();
      rows.append(...answer.events.map(eventRow));
      more.hidden = cursor === undefined;
      table.hidden = !rows.hasChildNodes();
      said.replaceChildren(
        ...(table.hidden && !cursor
          ? [empty("search", "No such event", "Nothing in the trail matches. Events appear within seconds.")]
          : []),
      );
    } catch (error) {
      if (!signal.aborted) said.replaceChildren(failure(error));
    }
  }
  async function draw(): Promise<void> {
    const until = Date.now();
    const since = new Date(until - DAY).toISOString();
    try {
      const some = await Promise.all(
        ["denied", "failed"].map((kind) =>
          session.ask<{ events: Event[]; cursor?: string }>(
            `/v1/audit?outcome=${kind}&since=${since}&limit=1000`,
            undefined,
            signal,
          ),
        ),
      );
      const isWhole = some.every(({ cursor }) => cursor === undefined);
      plot.replaceChildren(
        refusalsPlot(
          some.flatMap(({ events }) => events),
          until,
          isWhole,
        ),
      );
    } catch {
      // The list beside it says what is wrong.
      plot.replaceChildren();
    }
  }
  const refresh = () => {
    void load(true);
    void draw();
  };
  const table = h(
    "table",
    { class: "trail", hidden: true },
    h("caption", { class: "unseen" }, "Events, the newest first"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ...["Time", "Outcome", "Operation", "Object", "Key", "Caller"].map((name) =>
          h("th", { scope: "col" }, name),
        ),
      ),
    ),
    rows,
  );
  refresh();
  return {
    element: headed(
      "Trail",
      "Who asked for what, and what came of it.",
      refresh,
      plot,
      form,
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Events" }, table),
      said,
      more,
    ),
    refresh,
  };
}

const LABELS: Readonly<Record<string, string>> = {
  ...{ bucket: "Bucket", key: "Object", keyId: "Key", caller: "Caller", operation: "Operation" },
};

function eventRow(event: Event): HTMLTableRowElement {
  const { time, outcome, code, operation = "", bucket, key, keyId = "", caller = "", subject, via } = event;
  const object = [bucket, key].filter((part) => part !== undefined).join("/");
  return h(
    "tr",
    {},
    h("td", {}, when(time)),
    h("td", {}, h("span", { class: `badge ${outcome === "allowed" ? "good" : "bad"}` }, code ?? outcome)),
    h("td", {}, visible(operation), via !== undefined && h("small", {}, ` ${via}`)),
    h("td", { class: "object", title: visible(object) }, visible(object)),
    h("td", {}, visible(keyId)),
    h("td", { title: visible(event.ip ?? "") }, visible(subject ? `${caller} · ${subject}` : caller)),
  );
}
