/** What the queue of rotations carries. Messages name work and never an object: whatever there is to know, the ledger knows. */
import * as v from "valibot";
import type { Work } from "./ledger.ts";

/** `sweep`: to look what was lost. */
export type Message = Work | { readonly kind: "sweep"; readonly rotation: string };

const id = v.pipe(v.string(), v.uuid());
const number = v.pipe(v.number(), v.integer(), v.minValue(0));

const schema = v.variant("kind", [
  v.strictObject({ kind: v.literal("list"), rotation: id }),
  v.strictObject({ kind: v.literal("page"), rotation: id, page: number }),
  v.strictObject({ kind: v.literal("object"), rotation: id, number }),
  v.strictObject({ kind: v.literal("sweep"), rotation: id }),
]);

/** Undefined where it is none. */
export function messageOf(body: unknown): Message | undefined {
  const { success, output } = v.safeParse(schema, body);
  return success ? output : undefined;
}

/** Where messages go. */
export interface Sender {
  /** @param delay milliseconds */
  send(message: Message, delay?: number): Promise<void>;
}
