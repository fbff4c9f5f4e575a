/** What goes wrong, in the codes that the service has for it. */

export interface SsecErrorOptions {
  /** HTTP's, of the service or of the store. */
  readonly status?: number | undefined;
  /** By which the operator finds it in the trail. */
  readonly requestId?: string | undefined;
  /** The fields at fault. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[] | undefined;
  /** Whether it may go well when it is tried again. */
  readonly isPassing?: boolean;
  /** Milliseconds after which that is welcome; above a minute nobody waits here, and it is the caller's to decide. */
  readonly retryAfter?: number | undefined;
  /** Whether a URL may have been too old. */
  readonly isStale?: boolean;
}

/**
 * `code` is one of the service's (`not-found`, `forbidden`, `too-large`, …; docs/api.md has them all), or `cors-or-network` where
 * nothing answers, and a browser does not say why. It never holds a token, a key or a whole URL.
 */
export class SsecError extends Error {
  override name = "SsecError";
  readonly code: string;
  declare readonly status: number | undefined;
  declare readonly requestId: string | undefined;
  declare readonly errors: SsecErrorOptions["errors"];
  declare readonly isPassing: boolean | undefined;
  declare readonly retryAfter: number | undefined;
  declare readonly isStale: boolean | undefined;

  constructor(code: string, detail: string, options: SsecErrorOptions = {}) {
    super(detail);
    this.code = code;
    Object.assign(this, options);
  }
}

/**
 * Nobody answers. A browser tells a page no more: not whether the network is down, or whether the other side does not let
 * this page read what it says.
 *
 * @param mend what the operator does where it is the second
 */
export function noAnswer(url: string, mend: (origin: string) => string): SsecError {
  const page = forbidsPage((origin) => `call it: ${mend(origin)}`);
  return new SsecError("cors-or-network", `${new URL(url).origin} does not answer${page}`, {
    isPassing: true,
  });
}

/** What else it may be that a page sees no more; nothing where no page runs this. */
export function forbidsPage(what: (origin: string) => string): string {
  const { origin } = globalThis as { origin?: string };
  return origin && origin !== "null" ? `, or does not let pages of ${origin} ${what(origin)}` : "";
}
