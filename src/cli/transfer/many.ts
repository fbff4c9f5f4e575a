/** Several files or objects side by side: each that fails is named, and the others go on. */
import { ApiError } from "../api.ts";
import { OutputError } from "../output.ts";
import { inParallel, Slots } from "../parallel.ts";
import { HintedError, hideBar, printable, printableLines } from "../terminal.ts";
import { type Moved, Progress, uncounted } from "./progress.ts";
import { readAhead } from "./read-ahead.ts";

/** Made ready, for each one that is moved: half of them are presigned by one call. */
const AHEAD = 16;

/** What cannot even be begun. */
export interface Faulty {
  readonly name: string;
  readonly fault: string;
}

/** What the work on one, alone or among others, is done with. */
export interface Share {
  /** For what is moved: files, and parts of them. */
  readonly slots: Slots;
  /** @param size bytes, where they are known */
  progress(size?: number): Moved;
  /** What comes before it: shown only where it is alone. @param what `reading` */
  prepare(what: string, size: number): Moved;
}

export interface Manner {
  /** At most so many are moved at once. */
  readonly jobs: number;
  /** Whether nothing is told but faults. */
  readonly quiet?: boolean | undefined;
}

/** Works on one alone. */
export function doOne<T>(
  name: string,
  { jobs, quiet }: Manner,
  work: (share: Share) => Promise<T>,
): Promise<T> {
  const progress = (what: string, size?: number) => (quiet ? uncounted : new Progress(what, size));
  return work({
    slots: new Slots(jobs),
    progress: (size) => progress(printable(name), size),
    prepare: (what, size) => progress(`${what} ${printable(name)}`, size),
  });
}

export interface Many<T> extends Manner {
  /** What an item is called where it fails. */
  readonly nameOf: (item: T) => string;
  /** Bytes, where they are known before. */
  readonly sizeOf?: (item: T) => number | undefined;
  /** What it takes to make an item ready, of the `AHEAD * jobs` that there are. */
  readonly weightOf?: (item: T, all: number) => number;
  /** What is done with them: `uploading` and `uploaded` */
  readonly doing: string;
  readonly done: string;
}

/** @throws when one of them has failed, once all have been tried */
export async function doEach<T extends object>(
  items: AsyncIterable<T | Faulty> | Iterable<T | Faulty>,
  { jobs, quiet = false, nameOf, sizeOf, weightOf, doing, done }: Many<T>,
  work: (item: T, share: Share) => Promise<void>,
): Promise<void> {
  const slots = new Slots(jobs);
  const ahead = new Slots(jobs * AHEAD, (jobs * AHEAD) / 2);
  const progress = Progress.ofMany(doing, quiet ? false : undefined);
  const share = { slots, progress: () => progress.share(), prepare: () => uncounted };
  let tried = 0;
  let failed = 0;
  let hint = "";
  const fail = (name: string, reason: string) => {
    failed++;
    hideBar();
    const about = `${printable(name)}: `;
    // A reason may begin with the name already.
    console.error(`ssec: ${reason.startsWith(about) ? "" : about}${printableLines(reason)}`);
  };
  const found = readAhead(
    items,
    (item) => progress.expect("fault" in item ? undefined : sizeOf?.(item)),
    () => progress.expectNoMore(),
  );
  await inParallel(found, ahead.limit, async (item) => {
    tried++;
    if ("fault" in item) fail(item.name, item.fault);
    else {
      const weight = weightOf?.(item, ahead.limit);
      await ahead
        .run(() => work(item, share), weight)
        .catch((error: unknown) => {
          if (isHopeless(error)) throw error;
          if (error instanceof HintedError) ({ hint } = error);
          fail(nameOf(item), error instanceof Error ? error.message : String(error));
        });
    }
    progress.endOne();
  }).finally(() => progress.end());
  if (failed > 0) throw new HintedError(`${failed} of ${tried} not ${done}`, hint);
  if (!quiet) console.error(`${tried} ${done}`);
}

/** What would fail for all the others too. */
function isHopeless(error: unknown): boolean {
  return error instanceof OutputError || (error instanceof ApiError && error.status === 401);
}
