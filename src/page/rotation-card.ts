/** One rotation: how far it is, and what can be done with it. */
import { facts } from "./admin-parts.ts";
import { ask } from "./dialog.ts";
import { announce, button, failure, h } from "./dom.ts";
import { bytes, count, visible, when } from "./format.ts";
import { nameOfRotation, type Rotation, type Wanted } from "./rotation.ts";
import { showErrors } from "./rotation-errors.ts";
import type { Session } from "./session.ts";

export interface RotationCard {
  readonly element: HTMLElement;
  /** @param isLatest whether none of its bucket was begun after it */
  update(rotation: Rotation, isLatest: boolean): void;
}

interface CardHooks {
  /** Asks first. */
  readonly rotate: (wanted: Wanted, found: string) => Promise<void>;
  readonly change: (rotation: Rotation, to: "cancelled" | "running") => Promise<void>;
}

export function rotationCard(session: Session, { rotate, change }: CardHooks): RotationCard {
  const title = h("h2", { tabindex: -1 });
  const badge = h("span", { class: "badge" });
  const bar = h("progress", { max: 1 });
  const words = h("p", { class: "needed" });
  const reason = h("p", { class: "hint" });
  const known = h("div");
  const actions = h("div", { class: "actions start" });
  const said = h("div", { class: "said" });
  const element = h(
    "article",
    { class: "card" },
    h("header", {}, title, badge),
    bar,
    words,
    reason,
    known,
    actions,
    said,
  );
  let before: Rotation | undefined;
  let offered = "";

  /** A button with what it does; what goes wrong is said below it. */
  const doing = (label: string, act: () => Promise<void>) =>
    button(label, async () => {
      said.replaceChildren();
      try {
        await act();
      } catch (error) {
        said.replaceChildren(failure(error));
      }
    });
  const cancel = async (rotation: Rotation) => {
    const { isYes } = await ask({
      title: rotation.dryRun ? "Cancel this dry run?" : "Cancel this rotation?",
      text: rotation.dryRun
        ? "It has changed nothing, and can be resumed later."
        : "What is rotated stays so, and it can be resumed later.",
      yes: rotation.dryRun ? "Cancel the dry run" : "Cancel the rotation",
      no: "Let it run",
    });
    if (isYes) await change(rotation, "cancelled");
  };

  function update(rotation: Rotation, isLatest: boolean): void {
    const { dryRun, state, failed, to } = rotation;
    const name = visible(nameOfRotation(rotation));
    title.textContent = dryRun ? `${name}, dry run` : `${name} to ${visible(to)}`;
    badge.textContent = state === "done" && failed > 0 ? "done, with errors" : state;
    badge.className = `badge ${state === "failed" || (state === "done" && failed > 0) ? "bad" : state === "done" ? "good" : ""}`;
    const looked = rotation.rotated + rotation.skipped + failed;
    bar.setAttribute("aria-label", `Progress of the ${dryRun ? "dry run" : "rotation"} of ${name}`);
    if (state === "running" && rotation.listed === 0) bar.removeAttribute("value");
    else bar.value = rotation.listed === 0 ? 1 : Math.min(1, looked / rotation.listed);
    words.textContent = wordsOf(rotation);
    reason.textContent = visible(rotation.reason ?? "");
    reason.hidden = rotation.reason === undefined;
    known.replaceChildren(factsOf(rotation));
    const canRotate =
      dryRun && state === "done" && isLatest && toRotate(rotation) > 0 && rotation.versions === undefined;
    offer(rotation, canRotate);
    if (before?.state === "running" && state !== "running" && state !== "cancelled")
      announce(`The ${dryRun ? "dry run" : "rotation"} of ${name} is ${state}.`);
    before = rotation;
  }

  function offer(rotation: Rotation, canRotate: boolean): void {
    const { state, failed, to } = rotation;
    const what = [state, failed, canRotate].join();
    if (what === offered) return;
    offered = what;
    const hadFocus = actions.contains(document.activeElement);
    const errors = `${count(failed)} error${failed === 1 ? "" : "s"}`;
    const buttons = [
      canRotate &&
        doing(`Rotate to ${visible(to)}…`, () => rotate(wantedBy(rotation), objectsOf(toRotate(rotation)))),
      state === "running" && doing("Cancel", () => cancel(rotation)),
      (state === "failed" || state === "cancelled") && doing("Resume", () => change(rotation, "running")),
      failed > 0 && button(`Show ${errors}`, () => showErrors(session, rotation)),
    ].filter((each) => each !== false);
    actions.replaceChildren(...buttons);
    if (hadFocus) (buttons[0] ?? title).focus();
  }
  return { element, update };
}

const objectsOf = (objects: number): string => `${count(objects)} object${objects === 1 ? "" : "s"}`;

/** Of what a dry run has found, what a rotation would write again. */
function toRotate({ found, from, to, encryptPlain }: Rotation): number {
  const isMoved = (id: string) => {
    if (id === "plain") return encryptPlain === true;
    return id !== "unknown" && id !== to && (from === undefined || from === id);
  };
  return Object.entries(found).reduce((sum, [id, objects]) => (isMoved(id) ? sum + objects : sum), 0);
}

function wordsOf(rotation: Rotation): string {
  const { dryRun, state, listed, isListed, rotated, skipped, failed, bytes: size } = rotation;
  if (state === "running" && listed === 0) return "Looking for objects…";
  const soFar = state === "running" && !isListed ? " so far" : "";
  const what = [
    dryRun ? `${count(toRotate(rotation))} to rotate` : `${count(rotated)} rotated`,
    !dryRun && skipped > 0 && `${count(skipped)} left as they were`,
    failed > 0 && `${count(failed)} failed`,
  ].filter((each) => each !== false);
  const written = rotated > 0 ? ` · ${bytes(size)}` : "";
  return `${count(rotated + skipped + failed)} of ${objectsOf(listed)}${soFar} · ${what.join(", ")}${written}`;
}

function wantedBy({ bucket, prefix, from, to, encryptPlain }: Rotation): Wanted {
  return {
    bucket,
    to,
    ...(prefix && { prefix }),
    ...(from !== undefined && { from }),
    ...(encryptPlain && { encryptPlain }),
  };
}

const FOUND: Readonly<Record<string, string>> = { plain: "in the clear", unknown: "under an unknown key" };

function factsOf({ from, startedAt, endedAt, found, olderVersions }: Rotation): HTMLElement {
  const some = Object.entries(found)
    .filter(([, objects]) => objects > 0)
    // What is under none of the bucket's keys comes last.
    .sort(([one], [other]) => Number(one in FOUND) - Number(other in FOUND));
  return facts(
    from !== undefined && ["From", visible(from)],
    some.length > 0 && [
      "Found",
      some.map(([id, objects]) => `${count(objects)} ${FOUND[id] ?? `under ${visible(id)}`}`).join(" · "),
    ],
    olderVersions > 0 && ["Older versions", `${count(olderVersions)} under other keys`],
    ["Begun", when(startedAt)],
    endedAt !== undefined && ["Ended", when(endedAt)],
  );
}
