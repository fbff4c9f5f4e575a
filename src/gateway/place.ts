/** Where the Worker speaks S3: at hosts of its own, and below one path of every other. */

/** What is left of a request's address for S3. */
export interface Place {
  /** By the host's name; empty where there is none in it. */
  readonly bucket: string;
  /** `/bucket/key`, or `/key` where the bucket is in the host's name; as it stands. */
  readonly path: string;
}

const BELOW = "/s3";

/**
 * Whether a request is for the gateway, and what of its address is S3's then.
 *
 * @param path below where the app is mounted, as it stands
 * @param hosts S3_HOSTS
 * @returns undefined for a request of the API
 */
export function placeOf(request: Request, path: string, hosts: readonly string[]): Place | undefined {
  if (hosts.length > 0) {
    const host = withoutUsualPort(request);
    // Of hosts one of which lies below another, the longer is meant.
    const own = hosts
      .filter((one) => host === one || host.endsWith(`.${one}`))
      .reduce<string | undefined>(
        (longest = "", one) => (one.length > longest.length ? one : longest),
        undefined,
      );
    if (own !== undefined) return { bucket: host.slice(0, -own.length - 1), path };
  }
  const isBelow = path === BELOW || path.startsWith(`${BELOW}/`);
  return isBelow ? { bucket: "", path: path.slice(BELOW.length) } : undefined;
}

/** Some clients name the usual port as well. */
function withoutUsualPort(request: Request): string {
  const usual = request.url.startsWith("https:") ? /:443$/ : /:80$/;
  return hostOf(request).replace(usual, "");
}

/** As the client named it, with its port where that is not the usual one. */
export function hostOf({ headers, url }: Request): string {
  return (headers.get("host") ?? new URL(url).host).toLowerCase();
}
