/** Keys: their states, and what still needs them. */
import type { Doubt, ReportedKey as Key } from "../rotation/needed.ts";
import { facts, loaded } from "./admin-parts.ts";
import { type Child, empty, h } from "./dom.ts";
import type { View } from "./files.ts";
import { count, visible, when } from "./format.ts";
import type { Session } from "./session.ts";

export type { Key };

const STATES = {
  active: ["good", "writes and reads"],
  readable: ["", "reads only"],
  pending: ["", "not yet"],
  invalid: ["bad", "cannot be used"],
} as const;

export function keysView(session: Session, signal: AbortSignal): View {
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

/** It may write, and in none of its buckets it stands first. */
const isIdle = ({ state, buckets, writes }: Key) =>
  state === "active" && buckets.length > 0 && writes.length === 0;

function keyCard(key: Key): HTMLElement {
  const [kind, words] = isIdle(key) ? ["", "reads; another key writes"] : STATES[key.state];
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

/** Why a count of zero does not mean that the key may go. */
const DOUBTS: Readonly<Record<Doubt, string>> = {
  "not-scanned": "is not scanned yet",
  "not-tried": "was scanned before it had this key",
  "versions-hidden": "does not show the service its older versions, which may need it",
  unclear: "has what could be seen neither under a key nor under none",
  writes: "writes under it",
  "written-later": "may have been written to under it since the scan",
};

function neededWords({ neededBy, buckets }: Key): Child[] {
  if (!neededBy)
    return [
      "Not scanned yet: ",
      h("code", {}, `ssec keys scan ${visible(buckets[0] ?? "BUCKET")}`),
      " counts what needs it.",
    ];
  const { objects, olderVersions, scannedAt, complete, removable } = neededBy;
  const doubts = neededBy.buckets.flatMap(({ bucket, doubt, writtenUntil }) =>
    doubt === undefined
      ? []
      : [
          ` ${visible(bucket)} ${DOUBTS[doubt]}`,
          ...(writtenUntil === undefined ? [] : [": scan it again after ", when(writtenUntil)]),
          ".",
        ],
  );
  const older = olderVersions > 0 ? ` and ${count(olderVersions)} older versions` : "";
  return [
    h("strong", {}, `${count(objects)} object${objects === 1 ? "" : "s"}${older}`),
    ` need${objects === 1 && !older ? "s" : ""} it, as of `,
    when(scannedAt),
    complete ? "." : "; not everything was seen.",
    removable && " It may go.",
    ...(objects + olderVersions === 0 ? doubts : []),
  ];
}
