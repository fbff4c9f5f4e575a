/** Lengths of time. */

/** Milliseconds. */
export const DAY = 86_400_000;
