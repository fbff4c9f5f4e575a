/** Records whose entries are named by callers. */
import { faultless, type JsonSchema } from "../../validation.ts";

/** What valibot would leave out of a record without a word. */
const UNSAFE_NAMES = ["__proto__", "constructor", "prototype"];

/** @param jsonSchema of the record, whose own schema comes after this check */
export const hasSafeNames = (jsonSchema: JsonSchema) =>
  faultless((entries: unknown) => {
    if (Array.isArray(entries)) return "must be an object";
    const isObject = typeof entries === "object" && entries !== null;
    const unsafe = isObject && UNSAFE_NAMES.find((name) => Object.hasOwn(entries, name));
    return unsafe ? `must not have an entry of the name ${unsafe}` : undefined;
  }, jsonSchema);
