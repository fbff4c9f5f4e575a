/** What a store means that does not do as asked. */

export interface Refusal {
  /** S3's, e.g. NoSuchKey; empty where there is none. */
  readonly code: string;
  /** Whether it may do so when it is asked again. */
  readonly isBusy: boolean;
}

/** @param text of the answer, or its beginning */
export function refusalOf(status: number, text: string): Refusal {
  const [, code = ""] = /<Code>(\w{1,64})<\/Code>/.exec(text) ?? [];
  // 501 is a store that cannot, and will not be able to. A body that came too slowly is a 400.
  const isBusy = status === 429 || (status >= 500 && status !== 501) || code === "RequestTimeout";
  return { code, isBusy };
}
