/** A program in a real terminal, driven as a person drives it. */
import { type ChildProcess, spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { expect, onTestFinished, vi } from "vitest";
import { programOf, SCRIPT } from "./tools.ts";

export const ENTER = "\r";
export const DOWN = "\u001b[B";
export const CTRL_C = "\u0003";

export interface Terminal {
  /** All that was shown so far, without colours and movements. */
  readonly screen: string;
  /** Waits until `text` is shown, after what was last waited for; then types. */
  answer(text: string, keys: string): Promise<void>;
  /** Its exit status, when it has ended. */
  ended(): Promise<number | null>;
}

/** Starts the project's own scripts on a terminal that util-linux's `script` makes. */
export function openTerminal(args: readonly string[]): Terminal {
  // Of its own the terminal has no size at all.
  const line = `stty cols 160 rows 50; exec ${[process.execPath, ...args].map((arg) => `'${arg}'`).join(" ")}`;
  const child: ChildProcess = spawn(
    programOf(SCRIPT),
    ["--quiet", "--flush", "--return", "--command", line, "/dev/null"],
    {
      env: { ...process.env, TERM: "xterm-256color", CI: "" },
    },
  );
  onTestFinished(() => void child.kill());
  let raw = "";
  let seen = 0;
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (raw += text));
  const status = new Promise<number | null>((resolve) => child.once("close", resolve));
  const screen = () => stripVTControlCharacters(raw);
  return {
    get screen() {
      return screen();
    },
    async answer(text, keys) {
      await vi.waitFor(() => expect(screen().slice(seen)).toContain(text), { timeout: 30_000 });
      seen = screen().length;
      child.stdin?.write(keys);
    },
    ended: () => status,
  };
}
