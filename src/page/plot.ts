/** Refusals by the hour, as bars. */
import type { AuditEvent } from "../audit/event.ts";
import { h, svg } from "./dom.ts";
import { count } from "./format.ts";

type Refusal = Pick<AuditEvent, "time" | "outcome" | "count">;

const HOURS = 24;
/** Milliseconds. */
const HOUR = 3_600_000;
const WIDTH = 480;
const HEIGHT = 96;
const BAR = WIDTH / HOURS;

/** @param isWhole whether there were no more than are given */
export function refusalsPlot(events: readonly Refusal[], until: number, isWhole: boolean): HTMLElement {
  const hours = Array.from({ length: HOURS }, () => ({ denied: 0, failed: 0 }));
  for (const { time, outcome, count = 1 } of events) {
    const hour = hours[HOURS - 1 - Math.floor((until - Date.parse(time)) / HOUR)];
    if (hour && outcome !== "allowed") hour[outcome] += count;
  }
  const most = Math.max(1, ...hours.map(({ denied, failed }) => denied + failed));
  const sum = (kind: "denied" | "failed") => hours.reduce((all, hour) => all + hour[kind], 0);
  const words = `${isWhole ? "" : "At least "}${count(sum("denied"))} denied and ${count(sum("failed"))} failed in 24 hours`;
  const bars = hours.flatMap(({ denied, failed }, i) => {
    const at = (i * BAR + 2).toFixed(1);
    const up = (value: number) => (value / most) * (HEIGHT - 8);
    const bar = (kind: string, value: number, above: number) =>
      svg("rect", {
        class: kind,
        x: at,
        y: (HEIGHT - up(value) - up(above)).toFixed(1),
        width: BAR - 4,
        height: up(value).toFixed(1),
        rx: 2,
      });
    return [
      svg("rect", { class: "hour", x: at, y: HEIGHT - 2, width: BAR - 4, height: 2, rx: 1 }),
      bar("denied", denied, 0),
      bar("failed", failed, denied),
    ];
  });
  return h(
    "figure",
    {},
    h(
      "figcaption",
      {},
      h("strong", {}, words),
      h("span", { class: "legend denied" }, "denied"),
      h("span", { class: "legend failed" }, "failed"),
    ),
    svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words, preserveAspectRatio: "none" },
      ...bars,
    ),
    h("div", { class: "axis", "aria-hidden": "true" }, h("span", {}, "24 hours ago"), h("span", {}, "now")),
  );
}
