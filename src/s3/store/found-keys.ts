/**
 * Which key an object was found under last, in the memory of this instance: what is tried first the next time. It is never
 * believed, only asked about, so that it may be wrong.
 */
import type { ObjectRef } from "./stored.ts";

/** Objects that are remembered, at about 200 bytes each. */
const MAX = 5000;

/** Ids of keys by object, the one that was found longest ago first. */
const found = new Map<string, string>();

export function lastFound(object: ObjectRef): string | undefined {
  return found.get(nameOf(object));
}

export function remember(object: ObjectRef, keyId: string): void {
  const name = nameOf(object);
  found.delete(name);
  found.set(name, keyId);
  const [oldest] = found.keys();
  if (found.size > MAX && oldest !== undefined) found.delete(oldest);
}

function nameOf({ bucket: { store, storeBucket }, key, versionId }: ObjectRef): string {
  return JSON.stringify([store.endpoint, storeBucket, key, versionId]);
}
