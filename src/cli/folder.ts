/** The folder that `ssec` is called in: all relative paths are of it. */
import { realpathSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Goes back to the folder that the caller is in. npm runs a script in its package's folder; files of the caller's would
 * be looked for, and written, in there.
 *
 * @throws when that folder is gone
 */
export function enterCallersFolder(env: NodeJS.ProcessEnv = process.env): void {
  const { npm_lifecycle_event: script, npm_package_json: manifest, INIT_CWD: folder } = env;
  // Whatever a script starts has these variables too: they are meant for what npm itself runs, in the package's folder.
  const isRunByNpm = script === "ssec" && manifest !== undefined && isHere(dirname(manifest));
  if (isRunByNpm && folder) process.chdir(folder);
}

function isHere(folder: string): boolean {
  try {
    return realpathSync(folder) === process.cwd();
  } catch {
    return false;
  }
}
