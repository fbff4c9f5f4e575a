/** Claims of a JWT in a grant's prefix: `users/{sub}/`. */

export type Claims = Readonly<Record<string, unknown>>;

/**
 * The prefix with its claims filled in, or undefined where one of them cannot be: it is missing, empty, not a string
 * or number, not well-formed, `.` or `..`, or holds `/`. Such a prefix is nobody's; it never widens.
 */
export function fillClaims(prefix: string, claims: Claims): string | undefined {
  let isWhole = true;
  const filled = prefix.replace(/\{([^{}]+)\}/g, (_, name: string) => {
    const segment = segmentOf(Object.hasOwn(claims, name) ? claims[name] : undefined);
    if (segment === undefined) isWhole = false;
    return segment ?? "";
  });
  return isWhole ? filled : undefined;
}

function segmentOf(claim: unknown): string | undefined {
  if (typeof claim !== "string" && typeof claim !== "number") return undefined;
  const text = String(claim);
  const isSegment =
    text !== "" && text !== "." && text !== ".." && !text.includes("/") && text.isWellFormed();
  return isSegment ? text : undefined;
}
