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
    const { dryRun, state, to, reason: why = "", pausedUntil } = rotation;
    const failed = failures(rotation);
    const name = visible(nameOfRotation(rotation));
    title.textContent = dryRun ? `${name}, dry run` : `${name} to ${visible(to)}`;
    const isWaiting = pausedUntil !== undefined;
    badge.textContent = isWaiting ? "waiting" : state === "done" && failed > 0 ? "done, with errors" : state;
    badge.className = `badge ${state === "failed" || (state === "done" && failed > 0) ? "bad" : state === "done" ? "good" : ""}`;
    const looked = rotation.rotated + rotation.skipped + rotation.failed;
    bar.setAttribute("aria-label", `Progress of the ${dryRun ? "dry run" : "rotation"} of ${name}`);
    if (state === "running" && rotation.listed === 0) bar.removeAttribute("value");
    else bar.value = rotation.listed === 0 ? 1 : Math.min(1, looked / rotation.listed);
    words.textContent = wordsOf(rotation);
    reason.replaceChildren(
      visible(why),
      ...(isWaiting ? [" It goes on by itself at ", when(pausedUntil), "."] : []),
    );
    reason.hidden = why === "";
    known.replaceChildren(factsOf(rotation));
    const canRotate =
      dryRun && state === "done" && isLatest && (toRotate(rotation) > 0 || olderToRotate(rotation) > 0);
    offer(rotation, canRotate);
    if (before?.state === "running" && state !== "running" && state !== "cancelled")
      announce(`The ${dryRun ? "dry run" : "rotation"} of ${name} is ${state}.`);
    before = rotation;
  }

  function offer(rotation: Rotation, canRotate: boolean): void {
    const { state, to, versions, pausedUntil } = rotation;
    const failed = failures(rotation);
    const isWaiting = pausedUntil !== undefined;
    const what = [state, isWaiting, failed, canRotate].join();
    if (what === offered) return;
    offered = what;
    const hadFocus = actions.contains(document.activeElement);
    // Of the versions of one object the first error is kept.
    const errors = versions?.failed ? "errors" : `${count(failed)} error${failed === 1 ? "" : "s"}`;
    const buttons = [
      canRotate && doing(`Rotate to ${visible(to)}…`, () => rotate(wantedBy(rotation), foundBy(rotation))),
      isWaiting && doing("Try now", () => change(rotation, "running")),
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

const versionsOf = (versions: number): string =>
  `${count(versions)} older version${versions === 1 ? "" : "s"}`;

const failures = ({ failed, versions }: Rotation): number => failed + (versions?.failed ?? 0);

const olderToRotate = ({ versions, olderVersions }: Rotation): number => (versions ? olderVersions : 0);

function foundBy(rotation: Rotation): string {
  const older = olderToRotate(rotation);
  return `${objectsOf(toRotate(rotation))}${older > 0 ? ` and ${versionsOf(older)}` : ""}`;
}

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

function wantedBy(rotation: Rotation): Wanted {
  const { bucket, prefix, from, to, encryptPlain, versions, removeVersions } = rotation;
  return {
    bucket,
    to,
    ...(prefix && { prefix }),
    ...(from !== undefined && { from }),
    ...(encryptPlain && { encryptPlain }),
    ...(versions && { versions: true }),
    ...(removeVersions && { removeVersions }),
  };
}

const FOUND: Readonly<Record<string, string>> = { plain: "in the clear", unknown: "under an unknown key" };

function factsOf(rotation: Rotation): HTMLElement {
  const { from, startedAt, endedAt, found, olderVersions, encryptPlain, versions, removeVersions } = rotation;
  const also = [
    encryptPlain && "what is in the clear",
    versions && `older versions${removeVersions ? ", which are removed once they are copied" : ""}`,
  ].filter((each) => each);
  const some = Object.entries(found)
    .filter(([, objects]) => objects > 0)
    // What is under none of the bucket's keys comes last.
    .sort(([one], [other]) => Number(one in FOUND) - Number(other in FOUND));
  return facts(
    from !== undefined && ["From", visible(from)],
    also.length > 0 && ["As well", also.join(", ")],
    some.length > 0 && [
      "Found",
      some.map(([id, objects]) => `${count(objects)} ${FOUND[id] ?? `under ${visible(id)}`}`).join(" · "),
    ],
    versions !== undefined &&
      !rotation.dryRun && [
        "Versions",
        `${count(versions.copied)} copied, ${count(versions.removed)} removed, ${count(versions.failed)} failed`,
      ],
    olderVersions > 0 && ["Older", `${versionsOf(olderVersions)} under other keys`],
    ["Begun", when(startedAt)],
    endedAt !== undefined && ["Ended", when(endedAt)],
  );
}
