/** Dates of a request: as ISO 8601 or as HTTP has them, on the calendar, and written as S3 takes each. */
import * as v from "valibot";
import { faultless } from "../../validation.ts";

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))?$/;

/** Milliseconds since the epoch; undefined for what is no date. A date alone is its midnight, UTC. */
export function timeOf(text: string): number | undefined {
  const time = Date.parse(text);
  if (Number.isNaN(time)) return undefined;
  const [, year, month, day] = ISO.exec(text) ?? [];
  // Date.parse takes 30 February for 2 March, and any day of the week for the right one.
  if (year === undefined) return new Date(time).toUTCString() === text ? time : undefined;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.toISOString().startsWith(text.slice(0, 10)) ? time : undefined;
}

/** The same of ISO 8601 alone. */
export function isoTimeOf(text: string): number | undefined {
  return ISO.test(text) ? timeOf(text) : undefined;
}

/** Whether both are the same time, which a store may write in another way than it was told, and to the second. */
export function isSameSecond(a: string, b: string): boolean {
  const seconds = (text: string) => Math.floor(Date.parse(text) / 1000);
  return seconds(a) === seconds(b);
}

/** A date of an HTTP header. ISO 8601 is taken as well, and written as HTTP has it (RFC 9110, section 5.6.7). */
export const httpDate = v.pipe(
  v.string(),
  faultless(
    (text) =>
      timeOf(text) === undefined
        ? 'must be a date on the calendar, as "2027-01-31T12:00:00Z" or "Sun, 31 Jan 2027 12:00:00 GMT"'
        : undefined,
    { minLength: 1, examples: ["2027-01-31T12:00:00Z"] },
  ),
  v.transform((text) => new Date(timeOf(text) ?? 0).toUTCString()),
);

/** The end of an object's retention, ISO 8601, which S3 takes only when it is still to come. */
export const futureDate = v.pipe(
  v.string(),
  faultless(
    (text) => {
      const time = isoTimeOf(text);
      if (time === undefined) return 'must be an ISO 8601 date on the calendar, as "2027-01-31T12:00:00Z"';
      return time > Date.now() ? undefined : "must be in the future";
    },
    { pattern: ISO.source, examples: ["2030-01-31T12:00:00Z"] },
  ),
  v.transform((text) => new Date(timeOf(text) ?? 0).toISOString()),
);
