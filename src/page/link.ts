/** Addresses of objects that need no header. */
import { SsecError } from "../client/index.ts";
import type { Session } from "./session.ts";

interface Linked {
  readonly bucket: string;
  readonly key: string;
  readonly contentType?: string;
  readonly contentDisposition?: string;
}

/** Seconds; a film is looked at for a while. */
const LIVES = 3600;

/**
 * A link of the edge; undefined where this caller can have none: users with JWTs, without GATEWAY_SECRET or with a token that
 * ends too soon.
 *
 * @throws {SsecError}
 */
export async function edgeLink(
  session: Session,
  { bucket, key, ...response }: Linked,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const most = session.me.grants
    .filter(
      (grant) => grant.bucket === bucket && grant.allow.includes("read") && key.startsWith(grant.prefix),
    )
    .map(({ maxExpiresIn = LIVES }) => maxExpiresIn);
  const expiresIn = Math.min(LIVES, Math.max(...most));
  const request = {
    bucket,
    key,
    ...(Number.isFinite(expiresIn) && expiresIn > 0 && { expiresIn }),
    ...(Object.keys(response).length > 0 && { response }),
  };
  try {
    return (await session.link(request, signal)).url;
  } catch (error) {
    if (error instanceof SsecError && ["unavailable", "invalid-request"].includes(error.code))
      return undefined;
    throw error;
  }
}

/**
 * A link of the edge, or a copy in memory, which is let go when `signal` ends.
 *
 * @throws {SsecError}
 */
export async function linkTo(session: Session, object: Linked, signal: AbortSignal): Promise<string> {
  const link = await edgeLink(session, object, signal);
  if (link !== undefined) return link;
  const { bucket, key, contentType } = object;
  const got = await session.files.download({ bucket, key, via: "edge", signal });
  const blob = await got.blob();
  const url = URL.createObjectURL(contentType ? new Blob([blob], { type: contentType }) : blob);
  signal.addEventListener("abort", () => URL.revokeObjectURL(url));
  return url;
}

/** Hands a file to the browser's downloads. */
export function save(blob: Blob, key: string): void {
  const href = URL.createObjectURL(blob);
  follow(href, key);
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

export function follow(href: string, key: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = key.split("/").at(-1) || "object";
  link.click();
}
