/** Git is told to leave secrets alone before they are written: what is in a history once is in every clone. */
import { spawnSync } from "node:child_process";
import { basename, dirname, join } from "node:path";
import { type Before, readBefore } from "./files.ts";

const SECRETS = ".dev.vars*";
/** What is in a Worker's folder that nobody has told git of yet. */
const FIRST = ["node_modules/", ".wrangler/", SECRETS];

export interface Ignoring {
  readonly before: Before;
  readonly text: string;
  readonly mode: number;
  /** To be shown. */
  readonly says: string;
}

/** Of `git check-ignore`. Any other status: there is no repository, or no git. */
const IGNORED = 0;
const TAKEN = 1;

/**
 * The `.gitignore` that is to be, beside a file of secrets; undefined where git leaves that alone by now, or knows nothing of
 * the folder.
 *
 * @param isFresh whether the folder becomes a Worker's just now, and a repository perhaps later
 */
export function ignoring(devVars: string, isFresh: boolean): Ignoring | undefined {
  const path = join(dirname(devVars), ".gitignore");
  const asked = ["check-ignore", "--quiet", "--", basename(devVars)];
  const { status } = spawnSync("git", asked, { cwd: dirname(devVars), stdio: "ignore" });
  if (status === IGNORED || (status !== TAKEN && !isFresh)) return undefined;
  const before = readBefore(path);
  if (before.text.split(/\r?\n/).includes(SECRETS)) return undefined;
  const lines = before.isThere ? [SECRETS] : FIRST;
  const end = /(^|\n)$/.test(before.text) ? "" : "\n";
  return {
    before,
    text: `${before.text}${end}${lines.join("\n")}\n`,
    mode: before.isThere ? before.mode : 0o644,
    says: `${path}: ${lines.join(", ")} added, so that no secret gets into a repository`,
  };
}
