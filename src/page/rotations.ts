/** Rotations: begun, looked at, cancelled and gone on with. */
import { headed } from "./admin-parts.ts";
import { announce, empty, failure, h } from "./dom.ts";
import type { View } from "./files.ts";
import { visible } from "./format.ts";
import type { Key } from "./keys.ts";
import { nameOfRotation, type Rotation, type Wanted } from "./rotation.ts";
import { type RotationCard, rotationCard } from "./rotation-card.ts";
import { mayRotate, rotationForm } from "./rotation-form.ts";
import { placesOf, type Session } from "./session.ts";

/** Milliseconds between two looks at one that runs. */
const LOOK = 3000;

export function rotationsView(session: Session, signal: AbortSignal): View {
  const said = h("div", { class: "said" });
  const begin = h("div");
  const none = empty("key", "No rotation yet", "A dry run tells which object is under which key.");
  none.hidden = true;
  const list = h("div", { class: "cards" });
  const cards = new Map<string, RotationCard>();
  let looks = 0;
  let next: ReturnType<typeof setTimeout>;
  signal.addEventListener("abort", () => clearTimeout(next));

  async function refresh(): Promise<void> {
    clearTimeout(next);
    const look = ++looks;
    try {
      const [{ rotations }, known] = await Promise.all([
        session.ask<{ rotations: Rotation[] }>("/v1/rotations", undefined, signal),
        begin.hasChildNodes() ? undefined : session.ask<{ keys: Key[] }>("/v1/keys", undefined, signal),
      ]);
      // Another look was begun meanwhile, and its answer may have come before.
      if (look !== looks) return;
      if (known)
        begin.replaceChildren(rotationForm(placesOf(session.me, "admin"), known.keys, { dryRun, rotate }));
      show(rotations);
      said.replaceChildren();
      if (rotations.some(({ state }) => state === "running")) next = setTimeout(refresh, LOOK);
    } catch (error) {
      if (signal.aborted || look !== looks) return;
      said.replaceChildren(failure(error));
      if (cards.size > 0) next = setTimeout(refresh, LOOK);
    }
  }

  /** Those that are shown already stay where they are, and with them what has the focus. */
  function show(rotations: readonly Rotation[]): void {
    rotations.forEach((rotation, i) => {
      const card = cards.get(rotation.id) ?? rotationCard(session, { rotate, change });
      cards.set(rotation.id, card);
      const isLatest = rotations.findIndex(({ bucket }) => bucket === rotation.bucket) === i;
      card.update(rotation, isLatest);
      if (list.children[i] !== card.element) list.insertBefore(card.element, list.children[i] ?? null);
    });
    none.hidden = rotations.length > 0;
  }

  async function dryRun(wanted: Wanted): Promise<void> {
    await session.ask("/v1/rotations", { ...wanted, dryRun: true });
    announce("The dry run has begun.");
    await refresh();
  }
  async function rotate(wanted: Wanted, found?: string): Promise<void> {
    if (!(await mayRotate(wanted, found))) return;
    await session.ask("/v1/rotations", wanted);
    announce(`The rotation of ${visible(nameOfRotation(wanted))} has begun.`);
    await refresh();
  }
  async function change(rotation: Rotation, to: "cancelled" | "running"): Promise<void> {
    const path = `/v1/rotations/${rotation.id}`;
    await (to === "running" ? session.send("POST", `${path}/resume`) : session.send("DELETE", path));
    announce(to === "running" ? "It goes on." : "It is cancelled.");
    await refresh();
  }

  void refresh();
  return {
    element: headed(
      "Rotations",
      "A bucket from its old keys to the one that writes. A dry run counts and changes nothing.",
      refresh,
      h("div", { class: "loaded" }, begin, said, none, list),
    ),
    refresh,
  };
}
