/** `.dev.vars`: the secrets on this machine. What is in it is never changed, only added to. */
import { appendFileSync, chmodSync, existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

/** Names of what is in it. */
export function namesIn(path: string): ReadonlySet<string> {
  return new Set(existsSync(path) ? Object.keys(parseEnv(readFileSync(path, "utf8"))) : []);
}

/** Adds secrets, for the owner's eyes only. */
export function addTo(path: string, secrets: Readonly<Record<string, string>>): void {
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  const isOpen = existsSync(path) && !/(^|\n)$/.test(readFileSync(path, "utf8"));
  appendFileSync(path, `${isOpen ? "\n" : ""}${lines.join("")}`, { mode: 0o600, flush: true });
  chmodSync(path, 0o600);
}

/** Whether what reads the file would read just this value, and expand or unescape nothing. */
export function isPlain(value: string): boolean {
  return /^[^\s"'`$\\]+$/.test(value);
}
