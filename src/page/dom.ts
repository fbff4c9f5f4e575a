/** Elements, made of names and text: what an object or a key is called never becomes markup. */

export type Child = Node | string | false | undefined;
type Value = string | number | boolean | undefined | ((event: never) => unknown);

/** An element; functions are listeners (`onclick`), everything else is an attribute, true an empty one. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** An element of SVG. */
export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Node[]
): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Paths on a field of 24 by 24, drawn as lines. */
const ICONS = {
  folder:
    "M3 6.5A1.5 1.5 0 0 1 4.5 5H9l2 2.5h8.5A1.5 1.5 0 0 1 21 9v8.5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z",
  file: "M13.5 3H7a1.5 1.5 0 0 0-1.5 1.5v15A1.5 1.5 0 0 0 7 21h10a1.5 1.5 0 0 0 1.5-1.5V8zM13.5 3v5h5",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v3.5h16V16",
  download: "M12 4v12M7 11l5 5 5-5M4 16v3.5h16V16",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1",
  trash: "M4 7h16M9 7V4h6v3M6.500 7l1 13h9l1-13M10 11v5M14 11v5",
  close: "M6 6l12 12M18 6L6 18",
  pause: "M8 5v14M16 5v14",
  play: "M7 5l12 7-12 7z",
  key: "M15 9.500a5 5 0 1 0-3.600 4.800L13 16h2.500v2.500H18V21h3v-3.500l-6.300-6.300A5 5 0 0 0 15 9.500zM9 8.500h.01",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.500 4.500",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  refresh: "M20 12a8 8 0 1 1-2.500-5.800M20 4v4.500h-4.500",
} as const;

export type IconName = keyof typeof ICONS;

export function icon(name: IconName): SVGElement {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("path", { d: ICONS[name] }),
  );
}

/** A button with text, or with an icon that its label says. */
export function button(
  label: string,
  onclick: (event: MouseEvent) => unknown,
  { kind = "", picture, bare = false, ...more }: ButtonOptions = {},
): HTMLButtonElement {
  return h(
    "button",
    {
      type: "button",
      class: `button ${kind}`,
      onclick,
      ...(bare && { "aria-label": label, title: label }),
      ...more,
    },
    picture && icon(picture),
    !bare && label,
  );
}

interface ButtonOptions {
  readonly kind?: string;
  readonly picture?: IconName;
  /** Shows the icon alone. */
  readonly bare?: boolean;
  readonly [attribute: string]: string | boolean | undefined;
}

/** One of a few, as radio buttons side by side. */
export function choice<T extends string>(
  legend: string,
  options: Readonly<Record<T, string>>,
  chosen: T,
  onChange: (value: T) => unknown,
): HTMLFieldSetElement {
  const name = `choice-${Math.random().toString(36).slice(2)}`;
  return h(
    "fieldset",
    { class: "choice" },
    h("legend", { class: "unseen" }, legend),
    ...(Object.entries(options) as [T, string][]).map(([value, text]) =>
      h(
        "label",
        {},
        h("input", {
          type: "radio",
          name,
          value,
          checked: value === chosen,
          onchange: () => onChange(value),
        }),
        h("span", {}, text),
      ),
    ),
  );
}

/** What a list says that has nothing in it. */
export function empty(
  picture: IconName,
  title: string,
  text: string,
  ...more: readonly Child[]
): HTMLElement {
  return h(
    "div",
    { class: "empty" },
    icon(picture),
    h("p", { class: "title" }, title),
    h("p", {}, text),
    ...more,
  );
}

export function failure(error: unknown): HTMLElement {
  return h("p", { class: "failure", role: "alert" }, messageOf(error));
}

export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Tells people who do not see the page. */
export function announce(text: string): void {
  const region = document.getElementById("announced");
  if (region) region.textContent = text;
}

export async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  announce("Copied.");
}

/** A button that copies, and says that it has. */
export function copyButton(text: () => string | undefined, label = "Copy"): HTMLButtonElement {
  const itself = button(
    label,
    async () => {
      const value = text();
      if (value === undefined) return;
      const words = itself.lastChild as Text;
      try {
        await copy(value);
        words.data = "Copied";
      } catch {
        // A browser may not let pages write there; the text can still be marked.
        words.data = "Mark and copy it";
      }
      setTimeout(() => {
        words.data = label;
      }, 2000);
    },
    { picture: "copy" },
  );
  return itself;
}
