/** What options take. */
import { InvalidArgumentError, Option } from "commander";

/** For commander: @throws {InvalidArgumentError} */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("a whole number, at least 1.");
  return number;
}

/** An hour, in seconds. */
const MAX_SECONDS = 3600;

/** For commander: @throws {InvalidArgumentError} */
export function seconds(text: string): number {
  const number = Number(text);
  if (!(number > 0 && number <= MAX_SECONDS))
    throw new InvalidArgumentError(`seconds, more than 0 and at most ${MAX_SECONDS}.`);
  return number;
}

/** Stores spread a new setting over their machines, which takes a while. */
export const waitOption = new Option("--wait <seconds>", "how long it may take until it holds")
  .default(10)
  .argParser(seconds);

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** For commander, as `90s`, `30m`, `1h`, `7d`: seconds. @throws {InvalidArgumentError} */
export function duration(text: string): number {
  const [, digits = "", unit = ""] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  const seconds = Number(digits) * (UNITS[unit] ?? 0);
  if (seconds === 0) throw new InvalidArgumentError("a time, as 90s, 30m, 1h or 7d.");
  return seconds;
}
