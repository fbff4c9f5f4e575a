/** Which view is shown, or which object, as the fragment of the address says it, so that back, forward and reload lead where one was. */

export type Place =
  | { readonly view: "files"; readonly bucket: string; readonly prefix: string }
  | { readonly view: "object"; readonly bucket: string; readonly key: string }
  | { readonly view: "keys" | "rotations" | "trail" };

const ADMIN = ["keys", "rotations", "trail"] as const;

export function placeOf(hash: string): Place | undefined {
  const [view, bucket, ...segments] = hash.slice(1).split("/");
  const admin = ADMIN.find((name) => name === view);
  if (admin) return { view: admin };
  if ((view !== "files" && view !== "object") || !bucket) return undefined;
  try {
    const path = segments.map(decodeURIComponent).join("/");
    const at = { bucket: decodeURIComponent(bucket) };
    return view === "files" ? { view, ...at, prefix: path } : { view, ...at, key: path };
  } catch {
    return undefined;
  }
}

export function hashOf(place: Place): string {
  if (place.view !== "files" && place.view !== "object") return `#${place.view}`;
  const path = place.view === "files" ? place.prefix : place.key;
  return `#${place.view}/${[place.bucket, ...path.split("/")].map(encodeURIComponent).join("/")}`;
}
