/** What a caller's own links are signed with: its token, or a session where a token is none to sign with. */
import { Refused } from "../refused.ts";
import type { Caller, Directory } from "./callers.ts";
import { maxSession, openSession } from "./session.ts";
import { isSigningSecret } from "./token.ts";

export interface GatewayCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** How long they are good for, seconds; undefined where that does not end. */
  readonly seconds: number | undefined;
}

/**
 * @throws {Refused} unavailable where a session is needed and no GATEWAY_SECRET is bound; unauthenticated where the time
 * of the caller's JWT is over
 */
export async function gatewayCredentials(
  caller: Caller,
  directory: Pick<Directory, "secrets">,
  now: number,
): Promise<GatewayCredentials> {
  const { by, name } = caller;
  if (by?.kind === "token") {
    const token = await directory.secrets.read(by.caller.token);
    if (isSigningSecret(token)) return { accessKeyId: name, secretAccessKey: token, seconds: undefined };
  }
  const seconds = sessionTime(caller, now);
  const { accessKeyId, secretAccessKey, sessionToken } = await openSession(caller, seconds, directory, now);
  return { accessKeyId, secretAccessKey, sessionToken, seconds };
}

/**
 * How long a caller's session may last, seconds: at least one.
 *
 * @throws {Refused} unauthenticated
 */
export function sessionTime(caller: Caller, now: number): number {
  const seconds = maxSession(caller, now);
  if (seconds >= 1) return seconds;
  throw new Refused("unauthenticated", "The token does not count: it is about to expire.", {
    disbelief: "it is about to expire",
  });
}
