/** The Range of a request, in the one form that every store reads alike. */

const RANGE = /^bytes=\s*(?:(\d+)-(\d*)|-(\d+))\s*$/i;

/**
 * One range of bytes, as the store is to have it. Several at once, other units and what is no range are none: the answer
 * is the whole then, as RFC 9110, section 14.2, has it.
 */
export function singleRange(header: string | undefined): string | undefined {
  const [, from, to = "", last] = RANGE.exec(header ?? "") ?? [];
  if (last !== undefined) return `bytes=-${capped(last)}`;
  if (from === undefined) return undefined;
  if (to === "") return `bytes=${capped(from)}-`;
  return Number(to) < Number(from) ? undefined : `bytes=${capped(from)}-${capped(to)}`;
}

/** No object has so many bytes, and no store counts further. */
function capped(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
