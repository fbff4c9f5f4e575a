/** The last gate before the log, the queue and the database: every text is well-formed, and as long as it is let be. */

/** Longest texts of an event, characters. No store has a longer name for anything; a request may, in vain. */
const MAX_NAME = 255;
const MAX_KEY = 2048;
const MAX_VERSION_ID = 1024;
/** Enough to tell clients apart, and their requests. */
const MAX_USER_AGENT = 256;
const MAX_CLIENT_REQUEST_ID = 128;

/** At most so many characters; what is no Unicode, as half a surrogate pair, becomes U+FFFD. */
function bounded(text: string | undefined, max: number): string | undefined {
  if (text === undefined) return undefined;
  const short = text.length > max ? text.slice(0, max) : text;
  return short.isWellFormed() ? short : short.toWellFormed();
}

export const boundedName = (text: string | undefined) => bounded(text, MAX_NAME);
export const boundedKey = (text: string | undefined) => bounded(text, MAX_KEY);
export const boundedVersionId = (text: string | undefined) => bounded(text, MAX_VERSION_ID);

/** What a request says of itself and its client; what is not as it should be is left out. */
export interface Origin {
  readonly clientRequestId: string | undefined;
  readonly ip: string | undefined;
  readonly country: string | undefined;
  readonly userAgent: string | undefined;
}

export function originOf(request: Request): Origin {
  const { headers } = request;
  const { country } = (request as { cf?: { country?: unknown } }).cf ?? {};
  const clientRequestId = headers.get("x-request-id")?.replace(/[^\x20-\x7e]/g, "");
  const ip = headers.get("cf-connecting-ip") ?? "";
  return {
    clientRequestId: bounded(clientRequestId, MAX_CLIENT_REQUEST_ID) || undefined,
    ip: /^[0-9a-fA-F.:]{2,45}$/.test(ip) ? ip : undefined,
    country: typeof country === "string" && /^[A-Z][A-Z0-9]$/.test(country) ? country : undefined,
    userAgent: bounded(headers.get("user-agent") ?? undefined, MAX_USER_AGENT),
  };
}

/** JSON in which every text is well-formed, whoever put it there. */
export function wellFormedJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "string" ? each.toWellFormed() : each));
}
