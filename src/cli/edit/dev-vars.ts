/** `.dev.vars`: the secrets on this machine. What is in it is never changed, only added to. */
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { quoted } from "../called-as.ts";

/** Where they are kept, of an environment in a file of its own. */
export function devVarsPath(config: string, env?: string): string {
  return join(dirname(config), env ? `.dev.vars.${env}` : ".dev.vars");
}

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

/** A command that prints one of its secrets, whichever of the plain spellings it has. */
export function printing(path: string, name: string): string {
  return `sed -n 's/^${name}="\\{0,1\\}\\([^"]*\\)"\\{0,1\\}$/\\1/p' ${quoted(path)}`;
}
