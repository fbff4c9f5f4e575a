/** The rooms of src/ and the arrows between them are as scripts/rooms.ts says. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readSource } from "../scripts/architecture/imports.ts";
import { arrows, circles, type Furnished, offences, roomsOf } from "../scripts/rooms.ts";

const rooms = roomsOf();
const names = rooms.map(({ name }) => name);
const goal = (allowed: Furnished["imports"][number]) => (typeof allowed === "string" ? allowed : allowed.to);

describe("the rooms of src/", () => {
  it("import only what an arrow leads to", () => {
    expect(offences(rooms)).toEqual([]);
  });

  it("have arrows that go one way: to rooms that stand below", () => {
    const upward = rooms.flatMap(({ name, imports }, i) =>
      imports
        .map(goal)
        .filter((to) => names.indexOf(to) <= i)
        .map((to) => `${name} -> ${to}`),
    );
    expect(upward).toEqual([]);
  });

  it("have no files that import one another in a circle", () => {
    expect(circles(rooms)).toEqual([]);
  });

  it("send nothing and know no framework where they only compute", () => {
    const pure = rooms.filter(({ isPure }) => isPure);
    expect(pure.map(({ name }) => name)).toEqual(["s3/sign", "s3/api", "keys", "hash"]);
    const sources = pure.flatMap(({ sources }) => sources);
    expect(sources.filter((source) => source.names.has("fetch")).map(({ path }) => path)).toEqual([]);
    const packages = sources
      .flatMap(({ imports }) => imports)
      .map(({ to }) => to)
      .filter((to) => !to.startsWith("src/"));
    expect(new Set(packages)).toEqual(new Set(["node:crypto", "node:zlib", "valibot"]));
  });

  it("are built on Hono in the fronts alone: elsewhere it may lend a helper", () => {
    const knowing = rooms.filter(({ sources }) =>
      sources.some(({ imports }) => imports.some(({ to }) => /^hono(\/(?!utils\/)|$)/.test(to))),
    );
    expect(knowing.map(({ name }) => name)).toEqual(["http", "gateway", "front"]);
  });
});

describe("offences", () => {
  /** The rooms, with one more file in one of them. */
  const withFile = (name: string, path: string, text: string): Furnished[] =>
    rooms.map((room) =>
      room.name === name ? { ...room, sources: [...room.sources, readSource(path, text)] } : room,
    );

  it.each([
    ["an import", "hash", "src/hash/bad.ts", 'import { a } from "../log.ts";'],
    ["a type", "s3/sign", "src/s3/sign/bad.ts", 'import type { Bucket } from "../../config/load.ts";'],
    ["a dynamic import", "edge", "src/edge/bad.ts", 'const a = await import("../http/errors.ts");'],
    ["an export of another's", "keys", "src/keys/bad.ts", 'export * from "../s3/store/client.ts";'],
    ["what is below, by dev-store", "dev-store", "src/dev-store/bad.ts", 'import "../log.ts";'],
    ["the command", "index", "src/bad.ts", 'import "./cli/main.ts";'],
    [
      "more than types, where types are allowed",
      "cli",
      "src/cli/bad.ts",
      'import { a } from "../audit/event.ts";',
    ],
    ["another file than the allowed", "cli", "src/cli/bad.ts", 'import { a } from "../auth/jwt.ts";'],
  ])("are found: %s", (_, name, path, text) => {
    expect(offences(withFile(name, path, text))).toEqual([expect.stringMatching(`^${path}:1 imports `)]);
  });

  it("are no allowed types", () => {
    const text = 'import type { A } from "../audit/event.ts"; import { type B } from "../audit/queries.ts";';
    expect(offences(withFile("cli", "src/cli/good.ts", text))).toEqual([]);
  });
});

describe("circles", () => {
  it("are found, of whatever length, and of types alone as well", () => {
    const hash = rooms.filter(({ name }) => name === "hash");
    const files = [
      readSource("src/hash/a.ts", 'import "./b.ts"; import "./sha256.ts";'),
      readSource("src/hash/b.ts", 'import { c } from "./c.ts";'),
      readSource("src/hash/c.ts", 'import type { A } from "./a.ts";'),
      readSource("src/hash/d.ts", 'import "./a.ts";'),
    ];
    const found = circles(hash.map((room) => ({ ...room, sources: [...room.sources, ...files] })));
    expect(found).toEqual(["src/hash/a.ts -> src/hash/b.ts -> src/hash/c.ts -> src/hash/a.ts"]);
  });
});

describe("readSource", () => {
  it("sees imports of every kind", () => {
    const text = `
      import a, { type B } from "./a.ts";
      import { type C, type D } from "./c.ts";
      import type E from "./e.ts";
      import "./f.ts";
      export { g } from "./g.ts";
      export type { H } from "./h.ts";
      export * from "../i.ts";
      type J = import("./j.ts").J;
      const k = async () => (await import("./k.ts")).k;
      // import "./not.ts";
      const text = 'import "./not.ts"';`;
    const { imports } = readSource("src/edge/x.ts", text);
    expect(imports.map(({ to, isOfTypes, line }) => [to, isOfTypes, line])).toEqual([
      ["src/edge/a.ts", false, 2],
      ["src/edge/c.ts", true, 3],
      ["src/edge/e.ts", true, 4],
      ["src/edge/f.ts", false, 5],
      ["src/edge/g.ts", false, 6],
      ["src/edge/h.ts", true, 7],
      ["src/i.ts", false, 8],
      ["src/edge/j.ts", true, 9],
      ["src/edge/k.ts", false, 10],
    ]);
  });

  it("refuses what it cannot read", () => {
    expect(() => readSource("src/x.ts", "import {")).toThrow("src/x.ts");
    expect(() => readSource("src/x.ts", "const load = (name: string) => import(name);")).toThrow("src/x.ts");
  });
});

describe("roomsOf", () => {
  let root: string | undefined;
  afterEach(() => {
    if (root !== undefined) rmSync(root, { recursive: true });
  });

  const rootWith = (files: Readonly<Record<string, string>>): string => {
    root = mkdtempSync(join(tmpdir(), "rooms-"));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  };

  it("refuses a file in no room", () => {
    const files = { "src/hash/a.ts": 'import "./b.ts";', "src/nowhere/x.ts": "", "src/y.ts": "" };
    expect(() => roomsOf(rootWith(files))).toThrow(/no room.*: src\/nowhere\/x\.ts, src\/y\.ts$/);
  });

  it("refuses a room without a file", () => {
    expect(() => roomsOf(rootWith({ "src/hash/a.ts": 'import "./b.ts";' }))).toThrow(
      "no file lies in index, presign, page",
    );
  });

  it("refuses to find nothing at all", () => {
    expect(() => roomsOf(rootWith({ "src/hash/a.ts": "export {};" }))).toThrow(
      "no file of src imports anything",
    );
  });
});

it("arrows are measured with the imports that draw them", () => {
  const arrow = arrows(rooms).find(({ from, to }) => from.name === "s3/store" && to.name === "s3/sign");
  expect(arrow?.isOfTypes).toBe(false);
  expect(arrow?.imports.map(({ from }) => from)).toContain("src/s3/store/fetch.ts");
});
