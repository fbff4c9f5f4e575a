/** What the files of a folder import, read from their syntax: static, dynamic, of types alone, and what they export on. */
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { parseSync, Visitor } from "rolldown/utils";

export interface Import {
  /** The file that imports, from the root: `src/edge/stored.ts`. */
  readonly from: string;
  /** The file that is imported, from the root; for what is not of this repository its name: `hono`, `node:buffer`. */
  readonly to: string;
  /** Whether it is gone once types are: nothing of it is loaded. */
  readonly isOfTypes: boolean;
  readonly line: number;
}

export interface Source {
  /** From the root. */
  readonly path: string;
  readonly imports: readonly Import[];
  /** Names that the file uses, be it of variables, of what is global, or of properties. */
  readonly names: ReadonlySet<string>;
}

/**
 * The TypeScript files below a folder.
 *
 * @param root the repository's folder, absolute
 * @param folder from the root
 * @throws when a file cannot be parsed, imports what only a run can tell, or when there is not one import: whoever asks
 * would find everything in order
 */
export function sourcesIn(root: string, folder: string): Source[] {
  const paths = readdirSync(posix.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => posix.join(folder, path))
    .sort();
  const sources = paths.map((path) => readSource(path, readFileSync(posix.join(root, path), "utf8")));
  if (sources.every(({ imports }) => imports.length === 0))
    throw new Error(`no file of ${folder} imports anything`);
  return sources;
}

/** @param path from the root */
export function readSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const imports: Import[] = [];
  const names = new Set<string>();
  const add = (specifier: string, isOfTypes: boolean, start: number) => {
    const line = text.slice(0, start).split("\n").length;
    imports.push({ from: path, to: resolve(specifier, path), isOfTypes, line });
  };
  new Visitor({
    ImportDeclaration({ source, importKind, specifiers, start }) {
      const areTypes =
        specifiers.length > 0 &&
        specifiers.every((each) => each.type === "ImportSpecifier" && each.importKind === "type");
      add(source.value, importKind === "type" || areTypes, start);
    },
    ExportNamedDeclaration({ source, exportKind, specifiers, start }) {
      if (source === null) return;
      const areTypes = specifiers.length > 0 && specifiers.every((each) => each.exportKind === "type");
      add(source.value, exportKind === "type" || areTypes, start);
    },
    ExportAllDeclaration({ source, exportKind, start }) {
      add(source.value, exportKind === "type", start);
    },
    ImportExpression({ source, start }) {
      if (source.type !== "Literal" || typeof source.value !== "string")
        throw new Error(`${path}: import(…) of what is not written out`);
      add(source.value, false, start);
    },
    // What the Worker takes of Node's when it is needed, not when it starts.
    CallExpression({ callee, arguments: [of], start }) {
      if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return;
      if (callee.property.name !== "getBuiltinModule") return;
      if (of?.type !== "Literal" || typeof of.value !== "string")
        throw new Error(`${path}: getBuiltinModule(…) of what is not written out`);
      add(of.value, false, start);
    },
    TSImportType({ source, start }) {
      add(source.value, true, start);
    },
    TSExternalModuleReference({ expression, start }) {
      add(expression.value, false, start);
    },
    Identifier({ name }) {
      names.add(name);
    },
  }).visit(program);
  return { path, imports, names };
}

function resolve(specifier: string, from: string): string {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : specifier;
}
