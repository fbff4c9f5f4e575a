/** Which tokens count as secrets: one that can be guessed, or that no request can carry, is nobody's. */

/** Longer than any token in use, and short enough to be hashed for nothing. Characters. */
export const MAX_TOKEN_LENGTH = 16 * 1024;
/** What is shorter can be guessed. Characters. */
const MIN_TOKEN_LENGTH = 16;
/** Random text of that length has more kinds of characters. */
const MIN_KINDS = 5;

/**
 * What is wrong with a partner's token, in words that go after "is a token " and never repeat it; undefined when nothing
 * is. Whoever checks the configuration and whoever lets callers in ask here, so that they are of one mind.
 */
export function tokenFault(token: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(token)) {
    return "with white space or a character beyond ASCII, which no request can carry";
  }
  if (token.length < MIN_TOKEN_LENGTH) return `of ${token.length} characters, which can be guessed`;
  if (token.length > MAX_TOKEN_LENGTH) return `of more than ${MAX_TOKEN_LENGTH} characters`;
  if (new Set(token).size < MIN_KINDS) return "of hardly any different characters, which can be guessed";
  if (isRepetition(token)) return "that repeats a few characters, which can be guessed";
  return undefined;
}

/** Whether a token is some text shorter than the least, again and again. */
function isRepetition(token: string): boolean {
  for (let length = 1; length < MIN_TOKEN_LENGTH && length * 2 <= token.length; length++) {
    if (token.startsWith(token.slice(length))) return true;
  }
  return false;
}

/**
 * Two who have the same token, so that nobody can tell which of them comes with it: it lets neither of them in.
 *
 * @param tokens by whose they are
 */
export function twinsOf(tokens: ReadonlyMap<string, string>): [name: string, other: string] | undefined {
  const seen = new Map<string, string>();
  for (const [name, token] of tokens) {
    const twin = seen.get(token);
    if (twin !== undefined) return [twin, name];
    seen.set(token, name);
  }
  return undefined;
}

/** What whoever sees a signature could try out one by one, without asking anybody. */
const MIN_SIGNING_BITS = 128;
/** Characters of ASCII. */
const PRINTABLE = 94;
/** Alphabets that tokens are made of, and what one of their characters is worth at most. */
const ALPHABETS: readonly (readonly [RegExp, number])[] = [
  [/^\d*$/, 10],
  [/^([\da-f]*|[\dA-F]*)$/, 16],
  [/^([\da-z]*|[\dA-Z]*)$/, 36],
  [/^[\dA-Za-z]*$/, 62],
  [/^[\w+/=-]*$/, 64],
];

/**
 * Whether a token is long enough to sign with. A bearer token can only be guessed by asking; a signature is handed out with
 * every link, and tells whether a guess is right.
 */
export function isSigningSecret(token: string): boolean {
  const characters = ALPHABETS.find(([alphabet]) => alphabet.test(token))?.[1] ?? PRINTABLE;
  return token.replace(/=+$/, "").length * Math.log2(characters) >= MIN_SIGNING_BITS;
}
