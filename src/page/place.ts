/** Which view is shown, as the fragment of the address says it, so that back, forward and reload lead where one was. */

export type Place =
  | { readonly view: "files"; readonly bucket: string; readonly prefix: string }
  | { readonly view: "keys" | "rotations" | "trail" };

const ADMIN = ["keys", "rotations", "trail"] as const;

export function placeOf(hash: string): Place | undefined {
  const [view, bucket, ...segments] = hash.slice(1).split("/");
  const admin = ADMIN.find((name) => name === view);
  if (admin) return { view: admin };
  if (view !== "files" || !bucket) return undefined;
  try {
    return {
      view,
      bucket: decodeURIComponent(bucket),
      prefix: segments.map(decodeURIComponent).join("/"),
    };
  } catch {
    return undefined;
  }
}

export function hashOf(place: Place): string {
  if (place.view !== "files") return `#${place.view}`;
  return `#files/${[place.bucket, ...place.prefix.split("/")].map(encodeURIComponent).join("/")}`;
}
