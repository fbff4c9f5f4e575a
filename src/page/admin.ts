/** What admins see: keys, rotations, the trail. Loaded when one of them is opened. */
import type { View } from "./files.ts";
import { keysView } from "./keys.ts";
import { rotationsView } from "./rotations.ts";
import type { Session } from "./session.ts";
import { trailView } from "./trail.ts";

export function adminView(view: "keys" | "rotations" | "trail", session: Session, signal: AbortSignal): View {
  return { keys: keysView, rotations: rotationsView, trail: trailView }[view](session, signal);
}
