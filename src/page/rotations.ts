/** Rotations: begun, looked at, cancelled and gone on with. */
import { headed } from "./admin-parts.ts";
import { announce, button, empty, failure, h } from "./dom.ts";
import type { View } from "./files.ts";
import { visible } from "./format.ts";
import type { Key } from "./keys.ts";
import { nameOfRotation, type Rotation, type Wanted } from "./rotation.ts";
import { type RotationCard, rotationCard } from "./rotation-card.ts";
import { mayRotate, rotationForm } from "./rotation-form.ts";
import { placesOf, type Session } from "./session.ts";

/** Rotations of one answer, which the service counts one by one. */
const PAGE = 20;
/** Milliseconds between two looks at one that runs. */
const LOOK = 3000;

interface Answer {
  readonly rotations: readonly Rotation[];
  readonly cursor?: string;
}

export function rotationsView(session: Session, signal: AbortSignal): View {
  const said = h("div", { class: "said" });
  const begin = h("div");
  const none = empty("key", "No rotation yet", "A dry run tells which object is under which key.");
  none.hidden = true;
  const list = h("div", { class: "cards" });
  const more = button("Show more", () => showMore(), { hidden: true });
  const cards = new Map<string, RotationCard>();
  /** Those that are shown, the newest first. */
  let known: readonly Rotation[] = [];
  let cursor: string | undefined;
  let looks = 0;
  let next: ReturnType<typeof setTimeout>;
  signal.addEventListener("abort", () => clearTimeout(next));

  async function refresh(): Promise<void> {
    clearTimeout(next);
    const look = ++looks;
    try {
      const shown = known;
      const [first, keys] = await Promise.all([
        listed(),
        begin.hasChildNodes() ? undefined : session.ask<{ keys: Key[] }>("/v1/keys", undefined, signal),
      ]);
      // Another look was begun meanwhile, and its answer may have come before.
      if (look !== looks) return;
      if (keys)
        begin.replaceChildren(rotationForm(placesOf(session.me, "admin"), keys.keys, { dryRun, rotate }));
      const older = await olderThan(first, shown);
      if (look !== looks) return;
      // Without a seam, some in between may be missing: what is older is asked for again.
      if (older === undefined) cursor = first.cursor;
      show([...first.rotations, ...(older ?? [])]);
      said.replaceChildren();
      if (known.some(({ state }) => state === "running")) next = setTimeout(refresh, LOOK);
    } catch (error) {
      if (signal.aborted || look !== looks) return;
      said.replaceChildren(failure(error));
      if (cards.size > 0) next = setTimeout(refresh, LOOK);
    }
  }

  function listed(after?: string): Promise<Answer> {
    const query = new URLSearchParams({ limit: String(PAGE), ...(after !== undefined && { cursor: after }) });
    return session.ask<Answer>(`/v1/rotations?${query}`, undefined, signal);
  }

  /** What is shown already beyond the first page, and how far that is by now; undefined where the two do not touch. */
  async function olderThan(
    { rotations }: Answer,
    shown: readonly Rotation[],
  ): Promise<Rotation[] | undefined> {
    const fresh = new Set(rotations.map(({ id }) => id));
    if (!shown.some(({ id }) => fresh.has(id))) return undefined;
    const older = shown.filter(({ id }) => !fresh.has(id));
    return Promise.all(
      older.map((rotation) =>
        rotation.state === "running"
          ? session.ask<Rotation>(`/v1/rotations/${rotation.id}`, undefined, signal)
          : rotation,
      ),
    );
  }

  async function showMore(): Promise<void> {
    // A look that is under way would take back what this adds.
    const look = ++looks;
    clearTimeout(next);
    try {
      const answer = await listed(cursor);
      if (look !== looks) return;
      cursor = answer.cursor;
      show([...known, ...answer.rotations]);
      said.replaceChildren();
    } catch (error) {
      if (!signal.aborted && look === looks) said.replaceChildren(failure(error));
    }
    if (look === looks && known.some(({ state }) => state === "running")) next = setTimeout(refresh, LOOK);
  }

  /** Those that are shown already stay where they are, and with them what has the focus. */
  function show(rotations: readonly Rotation[]): void {
    known = rotations;
    rotations.forEach((rotation, i) => {
      const card = cards.get(rotation.id) ?? rotationCard(session, { rotate, change });
      cards.set(rotation.id, card);
      const isLatest = rotations.findIndex(({ bucket }) => bucket === rotation.bucket) === i;
      card.update(rotation, isLatest);
      if (list.children[i] !== card.element) list.insertBefore(card.element, list.children[i] ?? null);
    });
    while (list.children.length > rotations.length) list.lastElementChild?.remove();
    more.hidden = cursor === undefined;
    none.hidden = rotations.length > 0 || !more.hidden;
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
      h("div", { class: "loaded" }, begin, said, none, list, more),
    ),
    refresh,
  };
}
