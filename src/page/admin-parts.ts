/** What the views of admins have in common. */
import { button, type Child, failure, h } from "./dom.ts";
import type { View } from "./files.ts";

/** A heading, and below it what `load` gives, anew at each refresh. */
export function loaded(
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
export function headed(
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

type Fact = readonly [string, Node | string] | false;

export function facts(...all: readonly Fact[]): HTMLElement {
  const rows = all
    .filter((fact) => fact !== false)
    .map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)));
  return h("dl", {}, ...rows);
}
