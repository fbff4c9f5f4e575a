/** Questions, in the browser's own modal dialogs: they hold the focus, and Escape is no. */
import { button, type Child, h } from "./dom.ts";

export interface Question {
  readonly title: string;
  /** A paragraph, or several. */
  readonly text: string | readonly string[];
  readonly yes: string;
  readonly no?: string;
  /** Whether yes cannot be taken back. */
  readonly isGrave?: boolean;
  /** A box to tick, as "for all that follow". */
  readonly also?: string;
}

export interface Answered {
  readonly isYes: boolean;
  readonly also: boolean;
}

export function ask({ title, text, yes, no = "Cancel", isGrave, also }: Question): Promise<Answered> {
  const box = also === undefined ? undefined : h("input", { type: "checkbox" });
  return new Promise((resolve) => {
    let isYes = false;
    const dialog = openDialog(
      title,
      [
        ...[text].flat().map((paragraph) => h("p", {}, paragraph)),
        box && h("label", { class: "tick" }, box, h("span", {}, also)),
        h(
          "div",
          { class: "actions" },
          button(no, () => dialog.close()),
          button(
            yes,
            () => {
              isYes = true;
              dialog.close();
            },
            { kind: isGrave ? "grave" : "primary" },
          ),
        ),
      ],
      { onClose: () => resolve({ isYes, also: box?.checked ?? false }) },
    );
  });
}

interface DialogOptions {
  readonly kind?: string;
  readonly onClose?: () => void;
}

export function openDialog(
  title: string,
  children: readonly Child[],
  { kind = "question", onClose }: DialogOptions = {},
): HTMLDialogElement {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const dialog: HTMLDialogElement = h(
    "dialog",
    { class: kind, "aria-labelledby": id },
    h(
      "header",
      {},
      h("h2", { id }, title),
      button("Close", () => dialog.close(), { picture: "close", bare: true, kind: "quiet" }),
    ),
    ...children,
  );
  dialog.addEventListener("click", ({ target }) => {
    // Beside it is the dialog itself, of which its content covers all.
    if (target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    onClose?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
