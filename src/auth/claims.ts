/** Claims of a JWT by their names: in a grant's prefix (`users/{sub}/`), and in what a caller requires of a token. */
import { MAX_KEY_BYTES } from "../s3/api/limits.ts";

export type Claims = Readonly<Record<string, unknown>>;

/**
 * The claim of a name. `org.id` is the claim that is called so, or the `id` in the object `org`: names with dots are in
 * use (`https://example.com/team`), and so are objects below such names. A name that two of its readings lead to
 * different values by is no claim, since whoever may choose one of them could pass for the other.
 */
export function claimOf(claims: Claims, name: string): unknown {
  const [first, ...others] = readings(claims, name);
  return others.every((other) => other === first) ? first : undefined;
}

/** What each way to read the dots of a name leads to. Lists are not walked into, nor what an object inherits. */
function readings(within: unknown, name: string): unknown[] {
  if (typeof within !== "object" || within === null || Array.isArray(within)) return [];
  const claims = within as Claims;
  const found = Object.hasOwn(claims, name) ? [claims[name]] : [];
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
    const outer = name.slice(0, dot);
    if (Object.hasOwn(claims, outer)) found.push(...readings(claims[outer], name.slice(dot + 1)));
  }
  return found;
}

/**
 * The prefix with its claims filled in, or undefined where one of them cannot be: it is missing, neither text nor a safe
 * integer, not fit for a name (`isName`), `.` or `..`, or holds `/`. Such a prefix is nobody's; it never widens.
 */
export function fillClaims(prefix: string, claims: Claims): string | undefined {
  let isWhole = true;
  const filled = prefix.replace(/\{([^{}]+)\}/g, (_, name: string) => {
    const segment = segmentOf(claimOf(claims, name));
    if (segment === undefined) isWhole = false;
    return segment ?? "";
  });
  return isWhole ? filled : undefined;
}

function segmentOf(claim: unknown): string | undefined {
  const text = typeof claim === "number" ? textOf(claim) : claim;
  if (!isName(text) || text === "." || text === ".." || text.includes("/")) return undefined;
  return text;
}

/** Beyond the safe integers JSON.parse reads two numbers as one, and -0 is written as 0 is. */
function textOf(number: number): string | undefined {
  return Number.isSafeInteger(number) && !Object.is(number, -0) ? String(number) : undefined;
}

/** Whether a claim can name somebody: text that is well-formed, without control characters or ends of lines. */
export function isName(claim: unknown): claim is string {
  return (
    typeof claim === "string" &&
    claim !== "" &&
    claim.isWellFormed() &&
    !/[\p{Cc}\u2028\u2029]/u.test(claim) &&
    new TextEncoder().encode(claim).length <= MAX_KEY_BYTES
  );
}
