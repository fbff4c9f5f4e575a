/** What a store can and cannot do, for people. */
import type { Bucket } from "../../config/load.ts";
import { table } from "../table.ts";
import { paint, wrapped } from "../terminal.ts";
import { marked } from "./line.ts";
import { CHECKS, type Finding, NOT_TRIED } from "./report.ts";

const INDENT = "    ";

export function live({ name, storeBucket, store }: Bucket, findings: readonly Finding[]): string {
  const title = `BUCKETS.${name}: ${storeBucket} at ${store.endpoint}`;
  const rows = folded(findings);
  const [first = [], ...rest] = rows.map(({ check, what }) => [check, what]);
  const cells = table(first, rest).split("\n");
  const lines = rows.flatMap(({ verdict, todo, command }, i) => [
    marked(verdict, cells[i] ?? ""),
    ...(todo === undefined ? [] : [wrapped(todo, INDENT)]),
    // Not broken, so that it can be copied.
    ...(command === undefined ? [] : [`${INDENT}  ${command}`]),
  ]);
  return [paint("bold", title), ...lines].join("\n");
}

interface Row extends Pick<Finding, "verdict" | "what" | "todo" | "command"> {
  readonly check: string;
}

/** What could not be tried is one row, and comes last. */
function folded(findings: readonly Finding[]): Row[] {
  const missing = findings.filter(({ what }) => what.startsWith(NOT_TRIED));
  const rows: Row[] = findings
    .filter((finding) => !missing.includes(finding))
    .map((finding) => ({ ...finding, check: CHECKS[finding.check] }));
  const [one, ...more] = missing;
  if (one === undefined) return rows;
  const check = more.length === 0 ? CHECKS[one.check] : `${missing.length} more`;
  return [...rows, { verdict: one.verdict, check, what: one.what }];
}
