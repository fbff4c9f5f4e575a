/** Records whose entries are named by callers. */
import { faultless } from "../../validation.ts";

/** What valibot would leave out of a record without a word. */
const UNSAFE_NAMES = ["__proto__", "constructor", "prototype"];

export const hasSafeNames = faultless((entries: unknown) => {
  if (Array.isArray(entries)) return "must be an object";
  const isObject = typeof entries === "object" && entries !== null;
  const unsafe = isObject && UNSAFE_NAMES.find((name) => Object.hasOwn(entries, name));
  return unsafe ? `must not have an entry of the name ${unsafe}` : undefined;
});
