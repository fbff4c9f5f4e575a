/** What options take. */
import { InvalidArgumentError } from "commander";

/** For commander: @throws {InvalidArgumentError} */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("a whole number, at least 1.");
  return number;
}
