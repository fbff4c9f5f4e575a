/** `npm run assets`: what the Worker has as static assets, built of src/page into dist/assets. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { openapi } from "./openapi.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What `[assets]` of wrangler.toml names, and the package has. */
export const ASSETS = join(ROOT, "dist/assets");
/** In a folder of ours, so that they can lie among the assets of a site: src/http/routes/assets.ts. */
const FOLDER = "ssec-edge";

export interface Asset {
  /** As in its address, without the slash in front. */
  readonly path: string;
  readonly content: Uint8Array | string;
}

/** Everything that is served. A new asset is a line here, and its address one in src/http/routes/assets.ts. */
async function assets(): Promise<Asset[]> {
  return [...(await page()), ...docs()];
}

async function page(): Promise<Asset[]> {
  const outdir = join(ROOT, "dist");
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: { page: "src/page/main.ts", style: "src/page/style.css", docs: "src/page/docs.ts" },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome111", "firefox114", "safari16.4"],
    outdir,
    chunkNames: "[name]-[hash]",
    write: false,
  });
  return [
    { path: "index.html", content: readFileSync(join(ROOT, "src/page/index.html")) },
    ...outputFiles.map(({ path, contents }) => ({
      path: `assets/${path.slice(outdir.length + 1)}`,
      content: contents,
    })),
  ];
}

/** The document of the API, and what shows it: Swagger UI's own files with their licence. */
function docs(): Asset[] {
  const ui = (name: string) => ({
    path: `assets/${name}`,
    content: readFileSync(join(ROOT, "node_modules/swagger-ui-dist", name)),
  });
  return [
    { path: "openapi.json", content: JSON.stringify(openapi()) },
    { path: "docs.html", content: readFileSync(join(ROOT, "src/page/docs.html")) },
    ...["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt"].map(ui),
    { ...ui("LICENSE"), path: "assets/swagger-ui.LICENSE.txt" },
  ];
}

/** Builds them all. Files that are the same stay as they are: a Worker that runs may be reading them. */
export async function buildAssets(): Promise<void> {
  const wanted = new Map((await assets()).map(({ path, content }) => [join(FOLDER, path), content]));
  for (const [path, content] of wanted) writeChanged(join(ASSETS, path), Buffer.from(content));
  for (const entry of readdirSync(ASSETS, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(file.slice(ASSETS.length + 1))) rmSync(file, { force: true });
  }
}

function writeChanged(file: string, content: Buffer): void {
  try {
    if (readFileSync(file).equals(content)) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  mkdirSync(dirname(file), { recursive: true });
  // As a whole, whoever else builds at the same time.
  const fresh = `${ASSETS}.${process.pid}.new`;
  writeFileSync(fresh, content);
  renameSync(fresh, file);
}

if (import.meta.main) await buildAssets();
