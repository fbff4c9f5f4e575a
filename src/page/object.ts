/** One object: what it looks like, what is known of it, and what can be done with it. */
import { SsecError } from "../client/index.ts";
import { ask, openDialog } from "./dialog.ts";
import { announce, button, copyButton, failure, h } from "./dom.ts";
import { keyBadge, keyFault, type StoredObject } from "./files.ts";
import { bytes, count, nameOf, visible, when } from "./format.ts";
import { preview } from "./preview.ts";
import { programs } from "./programs.ts";
import { may, type Session } from "./session.ts";
import type { Via } from "./transfers.ts";

export interface ObjectHooks {
  readonly via: () => Via;
  readonly download: (object: StoredObject) => void;
  /** It is gone. */
  readonly removed: () => void;
  /** It is not looked at any more. */
  readonly closed: () => void;
}

export function openObject(session: Session, object: StoredObject, hooks: ObjectHooks): HTMLDialogElement {
  const { bucket, key, size, lastModified } = object;
  const name = visible(nameOf(key));
  const ending = new AbortController();
  const { signal } = ending;
  const looks = h("div", { class: "preview" });
  const under = h("dd", {}, "…");
  const facts = h(
    "dl",
    {},
    fact("Size", `${bytes(size)}${size >= 1024 ? ` (${count(size)} bytes)` : ""}`),
    fact("Changed", when(lastModified)),
    h("div", {}, h("dt", {}, "Key"), under),
    fact("Name", visible(`${bucket}/${key}`)),
  );
  const remove = async () => {
    const { isYes } = await ask({
      title: `Delete ${name}?`,
      text: `${visible(`${bucket}/${key}`)} is deleted from the store. It cannot be brought back, unless the bucket keeps versions.`,
      yes: "Delete",
      isGrave: true,
    });
    if (!isYes) return;
    try {
      await session.files.remove({ bucket, key });
      announce(`${name} is deleted.`);
      dialog.close();
      hooks.removed();
    } catch (error) {
      said.replaceChildren(failure(error));
    }
  };
  const said = h("div", { class: "said" });
  const dialog = openDialog(
    name,
    [
      looks,
      h(
        "div",
        { class: "actions start" },
        button("Download", () => hooks.download(object), { picture: "download", kind: "primary" }),
        may(session.me, "delete", bucket, key) &&
          button("Delete", remove, { picture: "trash", kind: "grave-quiet" }),
      ),
      said,
      facts,
      sharing(session, object, signal),
      programs(session, { bucket, key }, hooks.via(), signal),
    ],
    {
      kind: "sheet",
      onClose: () => {
        ending.abort();
        hooks.closed();
      },
    },
  );
  void (async () => {
    try {
      const head = await session.files.head({ bucket, key, signal });
      under.replaceChildren(keyBadge(head.keyId));
      if (head.contentType) facts.append(fact("Type", visible(head.contentType)));
      for (const [field, value] of Object.entries(head.metadata))
        facts.append(fact(visible(field), visible(value)));
      const picture = await preview(session, { bucket, key }, head, signal);
      if (picture) looks.replaceChildren(picture);
    } catch (error) {
      if (signal.aborted) return;
      if (under.textContent === "…") under.replaceChildren(keyFault(error));
      said.replaceChildren(failure(error));
    }
  })();
  return dialog;
}

function fact(term: string, value: Node | string): HTMLElement {
  return h("div", {}, h("dt", {}, term), h("dd", {}, value));
}

const TIMES: readonly (readonly [seconds: number, text: string])[] = [
  [900, "15 minutes"],
  [3600, "1 hour"],
  [86_400, "1 day"],
  [604_800, "7 days"],
];

function sharing(session: Session, { bucket, key }: StoredObject, signal: AbortSignal): HTMLElement {
  const most = Math.max(
    0,
    ...session.me.grants
      .filter(
        (grant) => grant.bucket === bucket && grant.allow.includes("read") && key.startsWith(grant.prefix),
      )
      .map(({ maxExpiresIn = 3600 }) => maxExpiresIn),
  );
  const times = TIMES.filter(([seconds]) => seconds <= most);
  if (times.length === 0) times.push([most, `${most} seconds`]);
  const time = h(
    "select",
    { "aria-label": "For how long" },
    ...times.map(([seconds, text]) => h("option", { value: seconds, selected: seconds === 3600 }, text)),
  );
  const link = h("input", { type: "text", readonly: true, "aria-label": "Link", class: "link" });
  const until = h("p", { class: "hint" });
  const row = h(
    "div",
    { class: "row" },
    link,
    copyButton(() => link.value),
  );
  row.hidden = true;
  const make = async () => {
    try {
      const { url, expiresAt } = await session.link({ bucket, key, expiresIn: Number(time.value) }, signal);
      link.value = url;
      row.hidden = false;
      until.replaceChildren("Whoever has it has the object, without any key, until ", when(expiresAt), ".");
      link.select();
      announce("The link is made.");
    } catch (error) {
      const isMissing = error instanceof SsecError && error.code === "unavailable";
      until.replaceChildren(
        failure(
          isMissing ? "Links are not set up for users here: the operator binds GATEWAY_SECRET." : error,
        ),
      );
    }
  };
  return h(
    "section",
    { class: "section", "aria-label": "Share" },
    h("h3", {}, "Share"),
    h(
      "div",
      { class: "row" },
      h("label", {}, "A link for ", time),
      button("Make a link", make, { picture: "link" }),
    ),
    row,
    until,
  );
}
