/** A Worker's folder that there is not yet, in a project that has installed the package. */
import { basename, dirname, resolve } from "node:path";
import { isJson } from "../wrangler-file.ts";

/** The newest date whose behaviour the Worker was tried with. */
const COMPATIBILITY_DATE = "2026-10-23";
const MAIN = "src/index.ts";

/** The page at /. Each request comes to the Worker first, which serves it below whatever path it is mounted at. */
const ASSETS = {
  directory: "node_modules/ssec-edge/dist/assets",
  binding: "ASSETS",
  run_worker_first: true,
} as const;

/** The Worker itself, as its file beside the configuration. */
export const WORKER = { path: MAIN, text: 'export { default } from "ssec-edge";\n' } as const;

/** The configuration that everything is added to. */
export function newConfiguration(path: string): string {
  const settings = {
    name: workerName(basename(dirname(resolve(path)))),
    main: MAIN,
    compatibility_date: COMPATIBILITY_DATE,
    compatibility_flags: ["nodejs_compat"],
  };
  if (isJson(path)) return `${JSON.stringify({ ...settings, assets: ASSETS }, null, 2)}\n`;
  return `${linesOf(settings)}\n[assets]\n${linesOf(ASSETS)}`;
}

/** In TOML, of text, truth and lists of text. */
function linesOf(table: Readonly<Record<string, string | boolean | readonly string[]>>): string {
  return Object.entries(table)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    .join("");
}

/** Cloudflare takes small letters, digits and dashes, 63 at most. */
function workerName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-|-$/g, "");
  return name || "ssec-edge";
}
