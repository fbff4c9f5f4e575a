/** How large the Worker is: as a whole, and what of it is evaluated before the first request. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import { runWrangler } from "../src/cli/wrangler.ts";

export interface Size {
  /** Minified, bytes. */
  readonly bytes: number;
  readonly gzip: number;
}

export interface Bundle {
  /** The module that `wrangler deploy` uploads. */
  readonly code: string;
  readonly whole: Size;
  /** npm packages of which anything is in it. */
  readonly packages: ReadonlySet<string>;
  /** Those that are evaluated at start. */
  readonly packagesAtStart: ReadonlySet<string>;
}

/** What wrangler tells the bundler of the runtime. */
export const FOR_WORKERD = {
  conditions: ["workerd", "worker", "browser"],
  external: ["node:*", "cloudflare:*", "crypto", "url", "querystring"],
};

/** How the bundler is told to make one module for workerd. */
export const OPTIONS = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2024",
  ...FOR_WORKERD,
  write: false,
} as const;

/** One module for workerd of everything that the entrypoint imports. */
export async function bundle(entryPoint: string): Promise<string> {
  const { outputFiles } = await build({ entryPoints: [entryPoint], ...OPTIONS });
  return outputFiles[0]?.text ?? "";
}

/** The runtime's modules that are evaluated at start: those that any part of the bundle imports, also what waits until it is used. */
export async function runtimeModules(entryPoint: string): Promise<string[]> {
  const { metafile } = await build({ entryPoints: [entryPoint], ...OPTIONS, metafile: true });
  return Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path),
  );
}

/** The bundle as it is deployed. */
export async function bundleWorker(): Promise<Bundle> {
  const dir = mkdtempSync(join(tmpdir(), "ssec-bundle-"));
  try {
    const { status, stderr } = await runWrangler(["deploy", "--dry-run", "--metafile", "--outdir", dir]);
    if (status !== 0) throw new Error(`wrangler does not bundle: ${stderr}`);
    const code = readFileSync(join(dir, "index.js"), "utf8");
    const metafile: Metafile = JSON.parse(readFileSync(join(dir, "bundle-meta.json"), "utf8"));
    return { code, whole: sizeOf(code), ...packagesIn(metafile) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * What is evaluated at start. A deployed bundle is one file, of which the rest is wrapped in functions: here the same
 * bundler puts it into files of its own.
 */
export async function startSize(entryPoint: string): Promise<Size> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entryPoint],
    ...OPTIONS,
    splitting: true,
    outdir: "start",
    metafile: true,
  });
  const [entry] = Object.keys(metafile.outputs).filter(
    (name) => metafile.outputs[name]?.entryPoint === entryPoint,
  );
  const needed = reachable(entry, (name) => metafile.outputs[name]?.imports);
  const texts = outputFiles
    .filter(({ path }) => [...needed].some((name) => path.endsWith(`/${name}`)))
    .map(({ text }) => text);
  return sizeOf(texts.join(""));
}

function packagesIn({ inputs, outputs }: Metafile): Pick<Bundle, "packages" | "packagesAtStart"> {
  const kept = Object.values(outputs).flatMap((output) =>
    Object.entries(output.inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([name]) => name),
  );
  const atStart = reachable("src/index.ts", (name) => inputs[name]?.imports);
  return { packages: packagesOf(kept), packagesAtStart: packagesOf(atStart) };
}

function packagesOf(files: Iterable<string>): ReadonlySet<string> {
  return new Set(
    [...files].flatMap(
      (name) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(name)?.[1] ?? [],
    ),
  );
}

interface Import {
  readonly path: string;
  readonly kind: string;
  readonly external?: boolean;
}

/** Everything that is loaded with `name`, and not only when it is asked for. */
function reachable(
  name: string | undefined,
  importsOf: (name: string) => readonly Import[] | undefined,
  seen = new Set<string>(),
): Set<string> {
  if (name === undefined || seen.has(name)) return seen;
  seen.add(name);
  for (const { path, kind, external } of importsOf(name) ?? []) {
    if (kind !== "dynamic-import" && !external) reachable(path, importsOf, seen);
  }
  return seen;
}

function sizeOf(code: string): Size {
  return { bytes: Buffer.byteLength(code), gzip: gzipSync(code, { level: 9 }).length };
}
