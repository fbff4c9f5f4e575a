/** Sizes, times and names as people read them. */

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (count === 1) return "1 byte";
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

const DAY = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
const MINUTE = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "medium" });

/** A `<time>` with all of it on demand; of this year with the time of day. */
export function when(instant: string | undefined): HTMLTimeElement {
  const element = document.createElement("time");
  const date = new Date(instant ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return element;
  const isRecent = date.getFullYear() === new Date().getFullYear();
  element.dateTime = date.toISOString();
  element.title = WHOLE.format(date);
  element.textContent = (isRecent ? MINUTE : DAY).format(date);
  return element;
}

export const count = (value: number): string => value.toLocaleString();

/** Of a key, what stands behind its last slash; all of it where nothing does. */
export function nameOf(key: string): string {
  return key.replace(/\/+$/, "").split("/").at(-1) || key;
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** What could not be seen, or could turn what is around it, as its code: a name is to look like no other. */
export function visible(name: string): string {
  return name.replace(INVISIBLE, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);
}
