/** Tables whose rows all go the same way: a few of them at every `npm test`, all with `npm run test:thorough`. */
import { test } from "vitest";

/**
 * `test.for`, of which the first of every so many rows belongs to `npm test`, and the others have the tag `thorough`.
 *
 * @param name as `test.for` takes it
 */
export function testSampled<const Row>(
  rows: readonly Row[],
  every: number,
  name: string,
  run: (row: Row) => Promise<void>,
): void {
  test.for(rows.filter((_, i) => i % every === 0))(name, (row) => run(row as Row));
  test.for(rows.filter((_, i) => i % every !== 0))(name, { tags: ["thorough"] }, (row) => run(row as Row));
}
