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
