/** What a check says: one line, for people and for machines. */
import { paint } from "../terminal.ts";

/** `off`: not switched on, not tried, or not needed. `warn`: works, and should be seen to. `bad`: exit status 1. */
export type Verdict = "ok" | "off" | "warn" | "bad";

export interface Line {
  readonly verdict: Verdict;
  /** What is so, and where something is to be done about it, what. */
  readonly what: string;
}

const MARKS = { ok: "✓", off: "·", warn: "!", bad: "✗" } as const satisfies Record<Verdict, string>;
const STYLES = { ok: "green", off: "dim", warn: "yellow", bad: "red" } as const;

/** Text behind the verdict's mark, in its colour. */
export function marked(verdict: Verdict, text: string): string {
  const mark = MARKS[verdict];
  return verdict === "ok" ? `${paint(STYLES.ok, mark)} ${text}` : paint(STYLES[verdict], `${mark} ${text}`);
}
