/** The log: one JSON object a line, so that any collector reads it. It never holds a key, a token or a signed URL. */

export interface ErrorEntry {
  readonly code: string;
  readonly message: string;
  readonly requestId?: string;
  readonly stack?: string | undefined;
}

/** Where lines go: a program that is no Worker may keep them elsewhere. */
export const output = { error: (line: string): void => console.error(line) };

/** What the operator should see to. */
export function logError(entry: ErrorEntry): void {
  const { message, stack } = entry;
  const line = { event: "error", time: new Date().toISOString(), ...entry, message: message.toWellFormed() };
  output.error(JSON.stringify({ ...line, stack: stack?.toWellFormed() }));
}

/** An error nobody foresaw: runtimes put URLs into such messages, so what follows a `?` is cut. */
export function describeUnforeseen(error: unknown): Pick<ErrorEntry, "message" | "stack"> {
  const withoutQuery = (text: string) => text.replace(/\?[^\s"'`)]+/g, "?…");
  if (!(error instanceof Error)) return { message: `a thrown ${typeof error}` };
  return {
    message: withoutQuery(`${error.name}: ${error.message}`),
    stack: error.stack && withoutQuery(error.stack),
  };
}

export interface KeyExpiring {
  readonly keyId?: string;
  readonly buckets: readonly string[];
  readonly writeUntil?: string;
  readonly message: string;
}

/** A key near its end or past it, or a bucket that no key writes to. */
export function logKeyExpiring(entry: KeyExpiring): void {
  console.warn(JSON.stringify({ event: "key-expiring", time: new Date().toISOString(), ...entry }));
}

export interface RotationDue {
  readonly bucket: string;
  readonly keyId: string;
  readonly message: string;
}

/** A key that has written for as long as its bucket lets it. */
export function logRotationDue(entry: RotationDue): void {
  console.warn(JSON.stringify({ event: "rotation-due", time: new Date().toISOString(), ...entry }));
}
