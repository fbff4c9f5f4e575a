/** `.dev.vars`: the secrets on this machine. What is in it is never changed, only added to. */
import { parseEnv } from "node:util";

/** Names of what is in its text. */
export function namesIn(text: string): ReadonlySet<string> {
  return new Set(Object.keys(parseEnv(text)));
}

/** Its text with secrets added. */
export function withSecrets(text: string, secrets: Readonly<Record<string, string>>): string {
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  return `${text}${/(^|\n)$/.test(text) ? "" : "\n"}${lines.join("")}`;
}

/** Whether what reads the file would read just this value, and expand or unescape nothing. */
export function isPlain(value: string): boolean {
  return /^[^\s"'`$\\]+$/.test(value);
}
