/** What docs/architecture.md takes from scripts/rooms.ts: the picture, the rooms, and the way of a request. */
import { type Arrow, arrows, type Furnished, roomsOf } from "../rooms.ts";
import { drawRooms } from "./draw.ts";
import { table } from "./parts.ts";

/** The way of a request, by the files that do each step. */
const WAY: readonly { readonly file: string; readonly does: string }[] = [
  { file: "src/index.ts", does: "takes the request, and the app for it" },
  { file: "src/front/middleware.ts", does: "gives it an id, and lets pages of allowed origins call" },
  { file: "src/auth/callers.ts", does: "says who calls, by token or JWT; `grants.ts` what they may do" },
  { file: "src/s3/api/operations.ts", does: "says what the operation takes, and refuses every other field" },
  {
    file: "src/keys/ring.ts",
    does: "finds the customer key, checks and hashes it once, or derives the object's own",
  },
  { file: "src/s3/sign/presign.ts", does: "makes the URL and signs the headers that go with it" },
  {
    file: "src/edge/upload.ts",
    does: "or, where the bytes pass through the Worker, streams and checks them",
  },
  { file: "src/s3/store/fetch.ts", does: "and sends them on to the store, key and all" },
  { file: "src/audit/trail.ts", does: "tells who was given what, before the answer leaves or right after" },
];

/** Every room may use it, so that its arrows would say nothing. */
const EVERYWHERE = "base";

export function architecturePage(): Record<"way" | "rooms", string> {
  const rooms = roomsOf();
  const drawn = arrows(rooms);
  return {
    way: WAY.map(({ file, does }, index) => {
      const room = roomOf(file, rooms);
      return `${index + 1}. **${room.name}** (${linkTo(inSrc(file), file)}) ${does}.`;
    }).join("\n"),
    rooms: table(
      ["room", "is for", "imports"],
      rooms.map(({ name, purpose, at, isPure }) => [
        at.length === 1
          ? linkTo(name, at[0])
          : `${name}: ${at.map((file) => linkTo(inSrc(file), file)).join(", ")}`,
        isPure ? `${purpose} (pure)` : purpose,
        importsOf(name, drawn) || "nothing",
      ]),
    ),
  };
}

export function architecturePicture(): Promise<string> {
  const rooms = roomsOf();
  const steps = WAY.map(({ file }) => roomOf(file, rooms).name);
  const order = rooms.map(({ name }) => name);
  const shown = rooms.filter(({ name }) => name !== EVERYWHERE);
  return drawRooms(
    shown.map(({ name, purpose }) => ({
      name,
      purpose,
      steps: steps.flatMap((each, index) => (each === name ? [index + 1] : [])),
    })),
    withoutDetours(
      arrows(shown)
        .filter(({ isOfTypes }) => !isOfTypes)
        .map(({ from, to }) => ({ from: from.name, to: to.name }))
        // One that leads up is an offence, which the test of the arrows tells.
        .filter(({ from, to }) => order.indexOf(from) < order.indexOf(to)),
    ),
  );
}

const inSrc = (file: string) => file.slice("src/".length);
const linkTo = (text: string, path: string | undefined) => `[${text}](../${path})`;

function importsOf(name: string, drawn: readonly Arrow[]): string {
  return drawn
    .filter(({ from }) => from.name === name)
    .map(({ to, isOfTypes }) => (isOfTypes ? `${to.name} (types)` : to.name))
    .join(", ");
}

interface Edge {
  readonly from: string;
  readonly to: string;
}

/** Without the arrows that follow from others: where a room leads to a second and that to a third, the first does too. */
function withoutDetours(edges: readonly Edge[]): Edge[] {
  const reaches = (from: string, to: string): boolean =>
    edges.some((edge) => edge.from === from && (edge.to === to || reaches(edge.to, to)));
  return edges.filter(
    ({ from, to }) => !edges.some((other) => other.from === from && other.to !== to && reaches(other.to, to)),
  );
}

function roomOf(file: string, rooms: readonly Furnished[]): Furnished {
  const room = rooms.find(({ sources }) => sources.some(({ path }) => path === file));
  if (room === undefined) throw new Error(`the way of a request names ${file}, which lies in no room`);
  return room;
}
