/** The package that this is part of, whether it runs from its sources or from what they are built into. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

const NAME = "ssec-edge";

export interface Package {
  /** Its folder, absolute. */
  readonly folder: string;
  readonly version: string;
  /** Whether its sources run as they stand, as in the repository. */
  readonly isSource: boolean;
}

/**
 * Sources and built files lie at different depths, so that the manifest is looked for above this file.
 *
 * @throws when this file lies in no such package
 */
export function ownPackage(file = import.meta.filename): Package {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = manifestIn(folder);
    if (manifest?.name === NAME) return { folder, version: manifest.version, isSource: file.endsWith(".ts") };
    if (folder === dirname(folder)) throw new Error(`${file} is not within the package ${NAME}`);
  }
}

function manifestIn(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
