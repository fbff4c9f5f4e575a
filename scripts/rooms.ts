/** The rooms of src/: what each is for, and which others it may import. A test holds the files to it. */
import { fileURLToPath } from "node:url";
import { type Import, type Source, sourcesIn } from "./architecture/imports.ts";

export interface Room {
  readonly name: string;
  /** One line. */
  readonly purpose: string;
  /** Folders, with a slash at their end, and files, from the root. */
  readonly at: readonly string[];
  /** Other rooms; `room: files` where only these of the room's files are meant, "types" where nothing of it is loaded. */
  readonly imports: readonly (string | Narrow)[];
  /** Whether it only computes: it sends nothing, and knows no framework. */
  readonly isPure?: boolean;
}

/** An arrow that not everything may pass. */
export interface Narrow {
  readonly to: string;
  /** Only these files of the other room, from the root. */
  readonly files?: readonly string[];
  /** Only types, of which nothing is loaded. */
  readonly types?: boolean;
}

/** From above to below: a room imports only rooms that stand after it, so that no arrows make a circle. */
const ROOMS: readonly Room[] = [
  {
    name: "index",
    purpose: "the Worker: fetch, queue, scheduled; wiring only",
    at: ["src/index.ts"],
    imports: ["http", "jobs", "service", "base"],
  },
  {
    name: "presign",
    purpose: "ssec-edge/presign: requests signed for programs without a Worker",
    at: ["src/presign.ts"],
    imports: ["s3/sign", "s3/api", "config", "keys", "base"],
  },
  {
    name: "page",
    purpose:
      "the page at /, in the browser: it knows nothing of the service but its API, and the types of its answers",
    at: ["src/page/"],
    imports: [
      "client",
      { to: "rotation", files: ["src/rotation/state.ts", "src/rotation/needed.ts"], types: true },
      { to: "audit", files: ["src/audit/event.ts"], types: true },
    ],
  },
  {
    name: "cli",
    purpose: "the ssec command",
    at: ["src/cli/"],
    imports: [
      { to: "audit", types: true },
      {
        to: "client",
        files: [
          "src/client/part.ts",
          "src/client/parts.ts",
          "src/client/refusal.ts",
          "src/client/retry.ts",
          "src/client/send.ts",
          "src/client/upload-types.ts",
          "src/client/whole.ts",
        ],
      },
      { to: "auth", files: ["src/auth/token.ts"] },
      ...["rotation", "s3/store", "s3/sign", "s3/api", "config", "keys", "base", "dev-store"],
    ],
  },
  {
    name: "client",
    purpose:
      "ssec-edge/client: uploads and downloads in browsers, Node and Workers; it knows nothing of the service but its API",
    at: ["src/client/"],
    imports: ["hash", { to: "s3/api", files: ["src/s3/api/limits.ts"] }],
  },
  {
    name: "http",
    purpose: "the JSON API: routes, what callers are told of refusals",
    at: ["src/http/"],
    imports: [
      ...["gateway", "front", "objects", "service", "rotation", "edge", "audit", "auth", "snippets"],
      ...["s3/store", "s3/sign", "s3/api", "config", "keys", "base"],
    ],
  },
  {
    name: "gateway",
    purpose: "S3's own API in front of the stores: signatures, operations, XML",
    at: ["src/gateway/"],
    imports: [
      ...["front", "objects", "service", "edge", "audit", "auth"],
      ...["s3/store", "s3/sign", "s3/api", "config", "keys", "hash", "base"],
    ],
  },
  {
    name: "front",
    purpose: "what every request passes, whatever API it speaks: id, CORS, trail, how often",
    at: ["src/front/"],
    imports: ["service", "audit", "auth", "config", "base"],
  },
  {
    name: "objects",
    purpose: "operate(), the one way to an object in a bucket: grants, key, credentials, event",
    at: ["src/objects/"],
    imports: ["service", "edge", "audit", "auth", "s3/store", "s3/api", "config", "keys", "base"],
  },
  {
    name: "jobs",
    purpose: "what runs without a caller: the queues' consumers, the cron trigger",
    at: ["src/jobs/"],
    imports: ["service", "rotation", "audit", "config", "keys", "base"],
  },
  {
    name: "service",
    purpose: "what all requests share: configuration, secrets, key ring; the engine of rotations",
    at: ["src/service.ts", "src/rotation-service.ts"],
    imports: ["rotation", "audit", "auth", "config", "keys", "base"],
  },
  {
    name: "rotation",
    purpose: "a bucket from one key to another: ledger, messages, pages, objects; it knows no Worker",
    at: ["src/rotation/"],
    imports: ["s3/store", "s3/api", "config", "keys", "base"],
  },
  {
    name: "edge",
    purpose: "bodies through the Worker: uploads, downloads, conditions",
    at: ["src/edge/"],
    imports: ["s3/store", "s3/sign", "s3/api", "config", "keys", "hash", "base"],
  },
  {
    name: "audit",
    purpose: "the trail: events, where they go, questions about them",
    at: ["src/audit/"],
    imports: ["auth", "config", "base"],
  },
  {
    name: "auth",
    purpose: "who calls, and what they may do",
    at: ["src/auth/"],
    imports: ["s3/api", "config", "hash", "base"],
  },
  {
    name: "snippets",
    purpose: "presigned requests as commands and programs to paste",
    at: ["src/snippets/"],
    imports: ["s3/api"],
  },
  {
    name: "s3/store",
    purpose: "requests that the service itself makes of a store, and what refusals mean",
    at: ["src/s3/store/"],
    imports: ["s3/sign", "s3/api", "config", "keys", "base"],
  },
  {
    name: "s3/sign",
    purpose: "SigV4: canonical request, signer, presigned URLs, forms",
    at: ["src/s3/sign/"],
    imports: ["s3/api", "keys", "hash"],
    isPure: true,
  },
  {
    name: "config",
    purpose: "the tables of wrangler.toml, checked; bound secrets",
    at: ["src/config/"],
    imports: ["s3/api", "keys", "base"],
  },
  {
    name: "s3/api",
    purpose: "S3 as it is documented: operations, their fields, limits, names",
    at: ["src/s3/api/"],
    imports: ["hash", "keys", "base"],
    isPure: true,
  },
  {
    name: "keys",
    purpose: "customer keys: checked, hashed, derived, and the headers that carry them",
    at: ["src/keys/"],
    imports: ["hash", "base"],
    isPure: true,
  },
  {
    name: "hash",
    purpose: "SHA-256, HMAC, MD5 and CRCs that wait for nothing",
    at: ["src/hash/"],
    imports: [],
    isPure: true,
  },
  {
    name: "base",
    purpose: "what every room may use: refusals, checks of input, the log, the platform's bindings",
    at: [
      ...["src/http/problem.ts", "src/refused.ts", "src/validation.ts", "src/log.ts", "src/limits.ts"],
      ...["src/time.ts", "src/bindings.ts", "src/runtime.d.ts"],
    ],
    imports: [],
  },
  {
    name: "dev-store",
    purpose: "the embedded S3 store, a witness of its own: it imports nothing of the rest",
    at: ["src/dev-store/"],
    imports: [],
  },
];

export interface Furnished extends Room {
  readonly sources: readonly Source[];
}

/** An arrow as the files draw it. */
export interface Arrow {
  readonly from: Room;
  readonly to: Room;
  /** At least one. */
  readonly imports: readonly Import[];
  /** Whether nothing is loaded by it. */
  readonly isOfTypes: boolean;
}

/**
 * Every room with its files.
 *
 * @throws when a file lies in no room, or a room has no file
 */
export function roomsOf(root = fileURLToPath(new URL("..", import.meta.url))): Furnished[] {
  const sources = sourcesIn(root, "src");
  const lost = sources.filter(({ path }) => roomAt(path) === undefined).map(({ path }) => path);
  if (lost.length > 0)
    throw new Error(`in no room of scripts/rooms.ts, which says what each is for: ${lost.join(", ")}`);
  const rooms = ROOMS.map((room) => ({
    ...room,
    sources: sources.filter(({ path }) => roomAt(path) === room),
  }));
  const empty = rooms.filter((room) => room.sources.length === 0);
  if (empty.length > 0) throw new Error(`no file lies in ${empty.map(({ name }) => name).join(", ")}`);
  return rooms;
}

/** The arrows between rooms, in the order of the rooms. */
export function arrows(rooms: readonly Furnished[] = roomsOf()): Arrow[] {
  return rooms.flatMap((from) =>
    rooms.flatMap((to) => {
      const imports = from.sources
        .flatMap(({ imports }) => imports)
        .filter((each) => from.name !== to.name && roomAt(each.to)?.name === to.name);
      const isOfTypes = imports.every((each) => each.isOfTypes);
      return imports.length === 0 ? [] : [{ from, to, imports, isOfTypes }];
    }),
  );
}

/** Imports that no arrow of their room allows, each in a line that says where it is. */
export function offences(rooms: readonly Furnished[] = roomsOf()): string[] {
  return arrows(rooms).flatMap(({ from, to, imports }) =>
    imports
      .filter((each) => !from.imports.some((allowed) => isAllowed(each, to, allowed)))
      .map(
        (each) =>
          `${each.from}:${each.line} imports ${each.to}: no arrow leads from ${from.name} to ${to.name}`,
      ),
  );
}

/** Files that import one another, each circle in a line: none of them can be read, or loaded, without the others. */
export function circles(rooms: readonly Furnished[] = roomsOf()): string[] {
  const importsOf = new Map(
    rooms.flatMap(({ sources }) => sources).map(({ path, imports }) => [path, imports.map(({ to }) => to)]),
  );
  const found: string[] = [];
  const seen = new Set<string>();
  const follow = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].join(" -> "));
    if (seen.has(path)) return;
    seen.add(path);
    for (const next of importsOf.get(path) ?? []) follow(next, [...way, path]);
  };
  for (const path of importsOf.keys()) follow(path, []);
  return found;
}

function isAllowed({ to: file, isOfTypes }: Import, to: Room, allowed: string | Narrow): boolean {
  if (typeof allowed === "string") return allowed === to.name;
  const { files, types = false } = allowed;
  return allowed.to === to.name && (files?.includes(file) ?? true) && (isOfTypes || !types);
}

function roomAt(path: string): Room | undefined {
  return ROOMS.find(({ at }) =>
    at.some((place) => (place.endsWith("/") ? path.startsWith(place) : path === place)),
  );
}
