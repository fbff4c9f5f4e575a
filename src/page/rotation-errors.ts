/** What a rotation could not do, object by object. */
import type { Failure } from "../rotation/state.ts";
import { openDialog } from "./dialog.ts";
import { button, failure, h } from "./dom.ts";
import { visible } from "./format.ts";
import { nameOfRotation, type Rotation } from "./rotation.ts";
import type { Session } from "./session.ts";

export function showErrors(session: Session, rotation: Rotation): void {
  const ending = new AbortController();
  const list = h("ul", { class: "errors" });
  const said = h("div", { class: "said" });
  const more = button("Show more", () => load(), { hidden: true });
  let cursor: string | undefined;
  async function load(): Promise<void> {
    const query = new URLSearchParams(cursor === undefined ? {} : { cursor });
    try {
      const answer = await session.ask<{ errors: Failure[]; cursor?: string }>(
        `/v1/rotations/${rotation.id}/errors?${query}`,
        undefined,
        ending.signal,
      );
      cursor = answer.cursor;
      list.append(...answer.errors.map(line));
      said.replaceChildren();
      more.hidden = cursor === undefined;
    } catch (error) {
      if (!ending.signal.aborted) said.replaceChildren(failure(error));
    }
  }
  openDialog(
    `Errors of ${visible(nameOfRotation(rotation))}`,
    [
      h(
        "p",
        { class: "hint" },
        "These objects are as they were. Mend the cause and rotate again: what is done already is left as it is.",
      ),
      list,
      said,
      more,
    ],
    { kind: "sheet", onClose: () => ending.abort() },
  );
  void load();
}

function line({ key, code, detail }: Failure): HTMLElement {
  return h(
    "li",
    {},
    h("strong", {}, visible(key)),
    h("span", { class: "badge bad" }, code),
    h("p", { class: "hint" }, visible(detail)),
  );
}
