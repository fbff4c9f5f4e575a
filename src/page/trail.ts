/** The trail: events by filters, and the refusals of a day. */
import type { AuditEvent } from "../audit/event.ts";
import { headed } from "./admin-parts.ts";
import { button, empty, failure, h } from "./dom.ts";
import type { View } from "./files.ts";
import { count, visible, when } from "./format.ts";
import { refusalsPlot } from "./plot.ts";
import type { Session } from "./session.ts";

const OUTCOMES = { "": "Any outcome", allowed: "Allowed", denied: "Denied", failed: "Failed" };
/** Milliseconds. */
const DAY = 86_400_000;

export function trailView(session: Session, signal: AbortSignal): View {
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
      const answer = await session.ask<{ events: AuditEvent[]; cursor?: string }>(
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
          session.ask<{ events: AuditEvent[]; cursor?: string }>(
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

function eventRow(event: AuditEvent): HTMLTableRowElement {
  const { time, outcome, code, operation = "", bucket, key, keyId = "", caller = "", subject, via } = event;
  const object = [bucket, key].filter((part) => part !== undefined).join("/");
  return h(
    "tr",
    {},
    h("td", {}, when(time)),
    h(
      "td",
      {},
      h("span", { class: `badge ${outcome === "allowed" ? "good" : "bad"}` }, code ?? outcome),
      // Refusals that are alike are one event.
      event.count !== undefined && h("small", {}, ` × ${count(event.count)}`),
    ),
    h("td", {}, visible(operation), via !== undefined && h("small", {}, ` ${via}`)),
    h("td", { class: "object", title: visible(object) }, visible(object)),
    h("td", {}, visible(keyId)),
    h("td", { title: visible(event.ip ?? "") }, visible(subject ? `${caller} · ${subject}` : caller)),
  );
}
