/** Origins of pages that may call: exact ones, and for development `http://localhost:*`, a loopback host with any port. */

const LOOPBACK_ANY_PORT = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\]):\*$/;

/** Whether the text is an entry of ALLOWED_ORIGINS: an origin as browsers send it, or a loopback host with `:*`. */
export function isOriginPattern(text: string): boolean {
  return LOOPBACK_ANY_PORT.test(text) || (URL.canParse(text) && new URL(text).origin === text);
}

/** An origin that the entry allows, to ask with as its pages would. */
export function sampleOrigin(pattern: string): string {
  return pattern.replace(/:\*$/, ":5173");
}

/** Whether the list has the origin, as it stands or with any port. */
export function isAllowedOrigin(patterns: readonly string[], origin: string): boolean {
  return patterns.includes(origin) || patterns.includes(origin.replace(/:\d+$/, ":*"));
}
