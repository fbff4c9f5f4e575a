/** JSON documents, compared by what they mean. */

/** Whether two documents mean the same: stores give back other spellings than they were given. */
export function isSame(a: string | undefined, b: string | undefined): boolean {
  return JSON.stringify(normal(parsed(a))) === JSON.stringify(normal(parsed(b)));
}

/** Fields by name; a list of one is that one, and of several words in any order; `true` and `"true"` are the same. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) {
    if (value.length === 1) return normal(value[0]);
    const items = value.map(normal);
    // The order of rules counts.
    return items.every((item) => typeof item === "string") ? items.sort() : items;
  }
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(fields.map(([name, field]) => [name, normal(field)]));
  }
  return value === null ? null : String(value);
}

function parsed(json: string | undefined): unknown {
  return json === undefined ? null : JSON.parse(json);
}
