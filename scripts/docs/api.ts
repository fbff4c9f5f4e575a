/** What docs/api.md takes from the tables: operations with their fields, and the codes of problems. */
import { PROBLEMS } from "../../src/http/problem.ts";
import { OPERATION_NAMES, OPERATIONS, type Operation } from "../../src/s3/api/operations.ts";
import { table } from "./parts.ts";

const KEY_OF: Readonly<Record<Operation["customerKey"], string>> = {
  stored: "the object's",
  new: "the one that writes now",
  upload: "the upload's",
  none: "none",
};

/** Fields that must be given are bold, in the order of the table. */
export function operationsTable(): string {
  const rows = OPERATION_NAMES.map((name) => {
    const { method, permission, customerKey, fields, required = [] } = OPERATIONS[name];
    const all = [
      ...required.map((field) => `**${field}**`),
      ...fields.filter((field) => !required.includes(field)),
    ];
    return [name, method, permission, KEY_OF[customerKey], all.join(", ") || "none"];
  });
  return table(["operation", "method", "grant", "key", "fields"], rows);
}

export function problemsTable(): string {
  const rows = Object.entries(PROBLEMS).map(([code, [status, title]]) => [
    String(status),
    `\`${code}\``,
    title,
  ]);
  return table(["status", "code", "title"], rows);
}
