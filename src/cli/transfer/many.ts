/** Several files or objects side by side: each that fails is named, and the others go on. */
import { ApiError } from "../api.ts";
import { OutputError } from "../output.ts";
import { inParallel, Slots } from "../parallel.ts";
import { HintedError, hideBar, printable, printableLines } from "../terminal.ts";

/** What cannot even be begun. */
export interface Faulty {
  readonly name: string;
  readonly fault: string;
}

export interface Many<T> {
  /** At most so many under way at once. */
  readonly parallel: number;
  /** What an item is called where it fails. */
  readonly nameOf: (item: T) => string;
  /** What is done with them: `uploaded` */
  readonly done: string;
}

/** @throws when one of them has failed, once all have been tried */
export async function doEach<T extends object>(
  items: AsyncIterable<T | Faulty> | Iterable<T | Faulty>,
  { parallel, nameOf, done }: Many<T>,
  work: (item: T, slots: Slots) => Promise<void>,
): Promise<void> {
  const slots = new Slots(parallel);
  let tried = 0;
  let failed = 0;
  let hint = "";
  const fail = (name: string, reason: string) => {
    failed++;
    hideBar();
    console.error(`ssec: ${printable(name)}: ${printableLines(reason)}`);
  };
  await inParallel(items, parallel, async (item) => {
    tried++;
    if ("fault" in item) return fail(item.name, item.fault);
    try {
      await work(item, slots);
    } catch (error) {
      if (isHopeless(error)) throw error;
      if (error instanceof HintedError) ({ hint } = error);
      fail(nameOf(item), error instanceof Error ? error.message : String(error));
    }
  });
  if (failed > 0) throw new HintedError(`${failed} of ${tried} not ${done}`, hint);
  hideBar();
  console.error(`${tried} ${done}`);
}

/** What would fail for all the others too. */
function isHopeless(error: unknown): boolean {
  return error instanceof OutputError || (error instanceof ApiError && error.status === 401);
}
