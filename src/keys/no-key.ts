/** Counts of objects by key have these beside the ids: what lies in the clear, and what lies under a key that nobody has. */
export const PLAIN = "plain";
export const UNKNOWN = "unknown";
