/** Derived keys: what they are good for, what they cost, and whether they are wanted. */
import { agree } from "../terminal.ts";

export const WHY_DERIVE =
  "Derived keys: whoever is handed one object's key can open that object and no other. A shared key that a phone has been " +
  "handed once opens everything for good. The cost: who loses the root loses all, and PostObject with keyPrefix is refused.";

/** Whether new keys are roots: asked at a terminal, where yes is recommended; by flags alone they are shared. */
export async function asksDerive(isSilent: boolean | undefined): Promise<boolean> {
  if (isSilent || process.stdin.isTTY !== true) return false;
  console.error(`\n${WHY_DERIVE}\n`);
  return agree("Give every object a key of its own? (recommended)", false, true);
}
