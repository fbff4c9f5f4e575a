/** Undefined where the text is no whole number, or one that is not exact: `Number` takes what is missing for 0. */
export function wholeNumberIn(text: string | null | undefined): number | undefined {
  const number = /^\d+$/.test(text ?? "") ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
