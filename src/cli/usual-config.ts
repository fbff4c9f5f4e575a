/** Which configuration is meant where none is named. Whoever asks only this loads no parser. */
import { existsSync } from "node:fs";

/** In the order in which wrangler looks for one. */
const NAMES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];
const OURS = "wrangler.toml";

/** The configuration of this folder, where none is named: ours, or what is there in its place. */
export function usualConfig(): string {
  return existsSync(OURS) ? OURS : (wranglersOwn() ?? OURS);
}

/** What wrangler itself takes in this folder, where none is named. */
export function wranglersOwn(): string | undefined {
  return NAMES.find((name) => existsSync(name));
}
