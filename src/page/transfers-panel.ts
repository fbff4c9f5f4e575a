/** The panel that shows the transfers. A row stays the same element as long as its transfer is there, so that focus stays. */
import { announce, button, h, icon } from "./dom.ts";
import { bytes, count, nameOf, visible } from "./format.ts";
import type { Transfer, Transfers } from "./transfers.ts";

interface Row {
  readonly element: HTMLLIElement;
  update(): void;
}

export interface Panel {
  readonly element: HTMLElement;
  /** To be called when a transfer has changed; what is shown follows at the next frame. */
  changed(): void;
}

export function transfersPanel(transfers: () => Transfers): Panel {
  const rows = new Map<number, Row>();
  const list = h("ol", { class: "transfers", id: "transfers" });
  const summary = h("span", { class: "summary" });
  const all = h("progress", { max: 1, value: 0, "aria-label": "All transfers" });
  const each = (state: readonly Transfer["state"][], act: (item: Transfer) => void) => () => {
    for (const item of transfers().items.filter((one) => state.includes(one.state))) act(item);
  };
  const pauseAll = button(
    "Pause all",
    each(["running", "waiting"], (item) => transfers().pause(item)),
  );
  const resumeAll = button(
    "Resume all",
    each(["paused", "failed"], (item) => transfers().resume(item)),
  );
  // Open while something is to be seen of it, unless somebody has said otherwise.
  let isOpen: boolean | undefined;
  const fold = button(
    "Hide",
    () => {
      isOpen = list.hidden !== false;
      draw();
    },
    { kind: "quiet", "aria-controls": "transfers" },
  );
  const clear = button("Clear", () => transfers().clear());
  const element = h(
    "section",
    { class: "panel", "aria-label": "Transfers", hidden: true },
    h(
      "header",
      {},
      h("h2", {}, "Transfers"),
      summary,
      h("div", { class: "actions" }, pauseAll, resumeAll, clear, fold),
    ),
    all,
    list,
  );

  function draw(): void {
    const { items } = transfers();
    element.hidden = items.length === 0;
    const ids = new Set(items.map(({ id }) => id));
    for (const [id, row] of rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    for (const item of items) {
      const row = rows.get(item.id) ?? rowOf(item, transfers);
      if (!rows.has(item.id)) {
        rows.set(item.id, row);
        list.append(row.element);
      }
      row.update();
    }
    const sum = (of: (item: Transfer) => number) => items.reduce((total, item) => total + of(item), 0);
    const total = sum(({ size }) => size);
    const loaded = sum((item) => Math.min(item.loaded, item.size));
    const done = items.filter(({ state }) => state === "done").length;
    all.value = total === 0 ? Number(done === items.length) : loaded / total;
    const isDone = done === items.length;
    const percent = Math.floor((total === 0 ? 0 : loaded / total) * 100);
    summary.textContent = isDone
      ? `${count(done)} done`
      : `${count(done)} of ${count(items.length)} · ${percent} %`;
    pauseAll.hidden = !items.some(({ state }) => state === "running" || state === "waiting");
    resumeAll.hidden = !items.some(({ state }) => state === "paused" || state === "failed");
    clear.hidden = done === 0;
    all.hidden = done === items.length;
    if (done < items.length && lastDone === lastCount) isOpen = undefined;
    lastDone = done;
    lastCount = items.length;
    list.hidden = !(isOpen ?? done < items.length);
    fold.textContent = list.hidden ? "Show" : "Hide";
    fold.setAttribute("aria-expanded", String(!list.hidden));
  }

  let lastDone = 0;
  let lastCount = 0;
  let isDue = false;
  return {
    element,
    changed: () => {
      if (isDue) return;
      isDue = true;
      requestAnimationFrame(() => {
        isDue = false;
        draw();
      });
    },
  };
}

const STATES = {
  waiting: "Waiting",
  running: "",
  paused: "Paused",
  unfinished: "Not finished: choose the file again to go on",
  done: "Done",
  failed: "Failed",
} as const;

function rowOf(item: Transfer, transfers: () => Transfers): Row {
  const name = visible(nameOf(item.key));
  const state = h("span", { class: "state" });
  const bar = h("progress", { max: Math.max(item.size, 1), value: 0, "aria-label": `Progress of ${name}` });
  const pause = button(`Pause ${name}`, () => transfers().pause(item), {
    picture: "pause",
    bare: true,
    kind: "quiet",
  });
  const resume = button(`Resume ${name}`, () => transfers().resume(item), {
    picture: "play",
    bare: true,
    kind: "quiet",
  });
  const input = h("input", {
    type: "file",
    class: "unseen",
    tabindex: -1,
    "aria-label": `File of ${name}`,
    onchange: () => {
      const [file] = input.files ?? [];
      if (!file || transfers().chooseAgain(item, file)) return;
      item.error = "This is another file, or it has changed since.";
      announce(item.error);
      update();
    },
  });
  const choose = button(`Choose ${name} again`, () => input.click(), { kind: "small" });
  choose.textContent = "Choose file";
  choose.setAttribute("aria-label", `Choose ${name} again`);
  const cancel = button(
    `Cancel ${name}`,
    () =>
      transfers()
        .cancel(item)
        .catch((error: Error) => announce(error.message)),
    { picture: "close", bare: true, kind: "quiet" },
  );
  const element = h(
    "li",
    {},
    icon(item.direction === "up" ? "upload" : "download"),
    h("span", { class: "name", title: visible(`${item.bucket}/${item.key}`) }, name),
    state,
    h("div", { class: "actions" }, choose, pause, resume, cancel),
    bar,
    input,
  );
  function update(): void {
    element.dataset.state = item.state;
    bar.value = item.state === "done" ? bar.max : item.loaded;
    const amount = `${bytes(item.loaded)} of ${bytes(item.size)}`;
    const words = item.error ?? (STATES[item.state] || amount);
    state.textContent = item.state === "paused" && !item.error ? `${words} · ${amount}` : words;
    pause.hidden = item.state !== "running" && item.state !== "waiting";
    resume.hidden = item.state !== "paused" && item.state !== "failed";
    choose.hidden = item.state !== "unfinished";
    const label = item.state === "done" ? `Take ${name} off the list` : `Cancel ${name}`;
    cancel.setAttribute("aria-label", label);
    cancel.title = label;
  }
  return { element, update };
}
