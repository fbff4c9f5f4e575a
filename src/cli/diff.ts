/** What changes in a text, as `diff -u` prints it. */
import { structuredPatch } from "diff";
import { paint, printable } from "./terminal.ts";

export function difference(before: string, after: string): string {
  const { hunks } = structuredPatch("", "", before, after, "", "", { context: 4 });
  return hunks
    .flatMap(({ lines }) => lines)
    .map(printable)
    .map((line) =>
      line.startsWith("+") ? paint("green", line) : line.startsWith("-") ? paint("red", line) : line,
    )
    .join("\n");
}
