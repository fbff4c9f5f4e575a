/** Rotations: begun, looked at, cancelled and gone on with. */
import { facts, loaded } from "./admin-parts.ts";
import { ask } from "./dialog.ts";
import { announce, button, empty, failure, h } from "./dom.ts";
import type { View } from "./files.ts";
import { bytes, count, visible, when } from "./format.ts";
import type { Session } from "./session.ts";

interface Rotation {
  readonly id: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly to: string;
  readonly dryRun: boolean;
  readonly state: "running" | "done" | "failed" | "cancelled";
  readonly reason?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly listed: number;
  readonly rotated: number;
  readonly skipped: number;
  readonly failed: number;
  readonly bytes: number;
  readonly found: Readonly<Record<string, number>>;
}

/** Milliseconds between two looks at one that runs. */
const LOOK = 3000;

export function rotationsView(session: Session, signal: AbortSignal): View {
  const view = loaded(
    "Rotations",
    "A bucket from its old keys to the one that writes. A dry run counts and changes nothing.",
    signal,
    async () => {
      const { rotations } = await session.ask<{ rotations: Rotation[] }>("/v1/rotations", undefined, signal);
      if (rotations.some(({ state }) => state === "running"))
        setTimeout(() => {
          if (!signal.aborted) void view.refresh();
        }, LOOK);
      const buckets = [
        ...new Set(
          session.me.grants.filter(({ allow }) => allow.includes("admin")).map(({ bucket }) => bucket),
        ),
      ];
      return [
        h("div", { class: "actions start" }, ...buckets.map((bucket) => starter(bucket))),
        rotations.length === 0
          ? empty("key", "No rotation yet", "A dry run tells which object is under which key.")
          : h("div", { class: "cards" }, ...rotations.map(rotationCard)),
      ];
    },
  );
  const starter = (bucket: string) =>
    button(`Dry run of ${visible(bucket)}`, () =>
      acted(() => session.ask("/v1/rotations", { bucket, dryRun: true }), "The dry run has begun."),
    );
  const acted = async (act: () => Promise<unknown>, words: string) => {
    try {
      await act();
      announce(words);
      await view.refresh();
    } catch (error) {
      view.element.append(failure(error));
    }
  };
  const cancel = async (rotation: Rotation) => {
    const { isYes } = await ask({
      title: "Cancel this rotation?",
      text: "What is rotated stays so, and it can be resumed later.",
      yes: "Cancel the rotation",
      no: "Let it run",
    });
    if (isYes) await acted(() => session.send("DELETE", `/v1/rotations/${rotation.id}`), "It is cancelled.");
  };
  const resume = (rotation: Rotation) =>
    acted(() => session.send("POST", `/v1/rotations/${rotation.id}/resume`), "It goes on.");

  function rotationCard(rotation: Rotation): HTMLElement {
    const { bucket, prefix, to, dryRun, state, reason, listed, rotated, skipped, failed } = rotation;
    const looked = rotated + skipped + failed;
    const kind = state === "done" ? (failed > 0 ? "bad" : "good") : state === "failed" ? "bad" : "";
    const found = Object.entries(rotation.found).filter(([, objects]) => objects > 0);
    const name = `${bucket}${prefix ? `/${prefix}` : ""}`;
    return h(
      "article",
      { class: "card" },
      h(
        "header",
        {},
        h("h2", {}, visible(dryRun ? `${name}, dry run` : `${name} to ${to}`)),
        h("span", { class: `badge ${kind}` }, state),
      ),
      h("progress", {
        max: 1,
        ...(state === "running" && listed === 0
          ? {}
          : { value: listed === 0 ? 1 : Math.min(1, looked / listed) }),
        "aria-label": `Progress of the rotation of ${visible(name)}`,
      }),
      h(
        "p",
        { class: "needed" },
        `${count(looked)} of ${count(listed)} objects · ${count(rotated)} ${dryRun ? "to rotate" : "rotated"}, ${count(failed)} failed · ${bytes(rotation.bytes)}`,
      ),
      reason !== undefined && h("p", { class: "hint" }, visible(reason)),
      facts(
        ["Begun", when(rotation.startedAt)],
        rotation.endedAt !== undefined && ["Ended", when(rotation.endedAt)],
        found.length > 0 && [
          "Found under",
          visible(found.map(([id, objects]) => `${id}: ${count(objects)}`).join(" · ")),
        ],
      ),
      h(
        "div",
        { class: "actions start" },
        state === "running" && button("Cancel", () => cancel(rotation)),
        (state === "failed" || state === "cancelled") && button("Resume", () => resume(rotation)),
      ),
    );
  }
  return view;
}
