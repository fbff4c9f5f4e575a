/** What a person types to run this program again: hints and examples that work when they are pasted. */
import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { ownPackage, type Package } from "./package.ts";

/** How the program was called. */
export interface Call {
  readonly package: Pick<Package, "folder" | "isSource">;
  /** The caller's folder. */
  readonly folder: string;
  /** The path that Node was given; a link is not followed. */
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * - In the repository: `npm run -s ssec --`, from elsewhere with its folder.
 * - Installed in a project: `npx ssec`. That name alone is another's package where none is installed, so that what npx
 *   has fetched is `npx ssec-edge`.
 * - Otherwise the shell has found it: `ssec`.
 */
export function calledAs(call: Call): string {
  const { package: own, folder, script, env } = call;
  if (own.isSource)
    return isOwn(folder, own.folder)
      ? "npm run -s ssec --"
      : `npm --prefix ${quoted(own.folder)} run -s ssec --`;
  const isLocal = script.includes(join(sep, "node_modules", ".bin", sep)) || isByNpx(env);
  if (!isLocal) return "ssec";
  return script.includes(join(sep, "_npx", sep)) ? "npx ssec-edge" : "npx ssec";
}

/** What deploys a Worker. @param flags by which it is meant, each with a blank before it */
export function deployedBy({ package: own }: Pick<Call, "package">, flags = ""): string {
  return own.isSource ? `npm run deploy${flags && ` --${flags}`}` : `npx wrangler deploy${flags}`;
}

/** Variables that npx sets for what it runs; what that starts in turn has them as well. */
function isByNpx({ npm_lifecycle_event: event, npm_lifecycle_script: script = "" }: Call["env"]): boolean {
  return event === "npx" && /^['"]?ssec(-edge)?['"]?( |$)/.test(script);
}

/** Whether npm, called in a folder, takes the package of another: that of the nearest manifest. */
function isOwn(folder: string, own: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (at === own) return true;
    if (at === dirname(at) || existsSync(join(at, "package.json"))) return false;
  }
}

/** A word for a shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

let here: Call | undefined;

/** Once the program is in the caller's folder, which npm leaves. */
function thisCall(): Call {
  here ??= { package: ownPackage(), folder: process.cwd(), script: process.argv[1] ?? "", env: process.env };
  return here;
}

/** What this run was called by, to begin a command with. */
export const ssec = (): string => calledAs(thisCall());
export const deploy = (flags: string): string => deployedBy(thisCall(), flags);
