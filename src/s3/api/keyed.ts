/** What a request sends with its customer keys and the source of its copy. */
import { copySourceKeyHeaders, customerKeyHeaders, type KeyPair } from "../../keys/headers.ts";
import { copySourceHeader } from "./fields.ts";

interface Keyed {
  /** Of the object that is asked for, or written. */
  readonly key: KeyPair | undefined;
  /** What is copied; its bucket as the store knows it. */
  readonly source: (Parameters<typeof copySourceHeader>[1] & { readonly storeBucket: string }) | undefined;
  readonly sourceKey: KeyPair | undefined;
}

/** @param own headers of the request itself, which may be added to */
export function keyedHeaders(
  own: Record<string, string>,
  { key, source, sourceKey }: Keyed,
): Readonly<Record<string, string>> {
  if (source) {
    own["x-amz-copy-source"] = copySourceHeader(source.storeBucket, source);
    if (sourceKey) Object.assign(own, copySourceKeyHeaders(sourceKey));
  }
  return together(own, key && customerKeyHeaders(key));
}

/** Both in one; where there is nothing to be put together, one itself, for a copy costs more. */
export function together(
  some: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  return others !== undefined && Object.keys(some).length === 0 ? others : { ...some, ...others };
}
