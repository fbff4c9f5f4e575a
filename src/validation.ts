/** Checks input against a schema and words every mistake as `path: what is wrong`, for callers and operators alike. */
import * as v from "valibot";
import type { FieldError } from "./refused.ts";

export type Checked<T> = { ok: true; value: T } | { ok: false; errors: FieldError[] };

/** Every value at fault in one go, in words none of which repeats the value that was given: it may be a secret. */
export function check<T>(schema: v.GenericSchema<unknown, T>, input: unknown): Checked<T> {
  const illFormed = findIllFormed(input, "");
  if (illFormed !== undefined) return { ok: false, errors: [{ path: illFormed, message: ILL_FORMED }] };
  const result = v.safeParse(schema, input);
  if (result.success) return { ok: true, value: result.output };
  return {
    ok: false,
    errors: result.issues.map((issue) => ({ path: pathOf(issue), message: wordsFor(issue) })),
  };
}

const ILL_FORMED = "must be well-formed Unicode (a surrogate stands alone)";

/**
 * Where a text is no Unicode. It has no UTF-8, so that neither a URL nor a database can hold it, and whoever encodes it
 * all the same makes another text of it.
 */
function findIllFormed(value: unknown, path: string): string | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : path;
  if (typeof value !== "object" || value === null) return undefined;
  const isArray = Array.isArray(value);
  for (const name in value) {
    const child = (value as Record<string, unknown>)[name];
    // Most are texts that are as they should be: a path is made only of what is wrong, or goes deeper.
    if (typeof child === "string" && child.isWellFormed() && (isArray || name.isWellFormed())) continue;
    const at = joinPath(path, isArray ? Number(name) : name.toWellFormed());
    if (!name.isWellFormed()) return at;
    const found = findIllFormed(child, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An object of these entries and no others. To valibot alone a list is one too, of no entries. */
export function strictObject<Entries extends v.ObjectEntries>(entries: Entries) {
  const schema = v.strictObject(entries);
  const run = schema["~run"];
  return {
    ...schema,
    "~run"(dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>) {
      return run.call(schema, Array.isArray(dataset.value) ? { value: null } : dataset, config);
    },
  };
}

/** Keywords of JSON Schema, as far as they can say what a check demands: openapi.json has them. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * One check for all that may be wrong with a value: in a pipe it costs a fraction of what a check for each does.
 *
 * @param faultOf what is wrong, if anything is
 * @param jsonSchema is satisfied by every value that is not at fault
 */
export function faultless<T>(faultOf: (value: T) => string | undefined, jsonSchema: JsonSchema) {
  return described(
    v.check<T, (issue: v.CheckIssue<T>) => string>(
      (value) => faultOf(value) === undefined,
      ({ input }) => faultOf(input) ?? "",
    ),
    jsonSchema,
  );
}

/** A check with what JSON Schema can say of it. */
export function described<Action extends object>(action: Action, jsonSchema: JsonSchema): Action {
  return { ...action, jsonSchema };
}

function pathOf(issue: v.BaseIssue<unknown>): string {
  let path = "";
  for (const { key } of issue.path ?? []) path = joinPath(path, key as string | number);
  return path;
}

/** `BUCKETS.media` + `keys` = `BUCKETS.media.keys`, + 1 = `BUCKETS.media.keys[1]`. */
export function joinPath(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}

function wordsFor(issue: v.BaseIssue<unknown>): string {
  if (issue.kind !== "schema" || issue.type === "custom") return issue.message;
  if (issue.expected === "never") return "is not a field here";
  if (issue.received === "undefined") return "is required";
  switch (issue.type) {
    case "picklist":
    case "literal":
      return `must be ${issue.expected?.replaceAll(" | ", " or ").replace(/^\((.*)\)$/, "$1")}`;
    case "strict_object":
    case "record":
      return "must be an object";
    case "array":
      return "must be an array";
    case "union":
      return issue.message;
    case "boolean":
      return "must be true or false";
    default:
      return `must be a ${issue.type}`;
  }
}
