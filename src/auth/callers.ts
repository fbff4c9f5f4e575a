/** Who is calling: the caller whose token was presented. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Caller } from "../config/load.ts";
import { SecretError, type Secrets } from "../config/secrets.ts";
import { Problem } from "../problem.ts";

/**
 * The caller of a request.
 *
 * Digests are compared rather than tokens, in constant time, and always with those of all callers, so that neither
 * the time nor the order tells anything about a token.
 *
 * @param authorization the header as it came
 * @throws {Problem} `unauthenticated`, with the challenge of RFC 6750, section 3
 */
export async function authenticate(
  authorization: string | undefined,
  callers: readonly Caller[],
  secrets: Secrets,
): Promise<Caller> {
  const token = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) {
    throw unauthenticated("Send the token as `Authorization: Bearer TOKEN`.", 'Bearer realm="ssec-edge"');
  }
  const presented = sha256(token);
  let found: Caller | undefined;
  for (const caller of callers) {
    const expected = await digestOf(caller, secrets);
    const isTheirs = timingSafeEqual(presented, expected ?? presented) && expected !== undefined;
    if (isTheirs && found !== undefined) {
      throw new Problem(
        "misconfigured",
        "The service is not configured correctly; its operator can see why.",
        {
          operator: `CALLERS.${found.name} and CALLERS.${caller.name} have the same token`,
        },
      );
    }
    if (isTheirs) found = caller;
  }
  if (found === undefined) {
    throw unauthenticated("The token is nobody's.", 'Bearer realm="ssec-edge", error="invalid_token"');
  }
  return found;
}

/** Undefined where the caller's secret cannot be read: nobody is that caller then, and others are not disturbed. */
async function digestOf(caller: Caller, secrets: Secrets): Promise<Uint8Array | undefined> {
  try {
    return sha256(await secrets.read(caller.token));
  } catch (error) {
    if (error instanceof SecretError) return undefined;
    throw error;
  }
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

function unauthenticated(detail: string, challenge: string): Problem {
  return new Problem("unauthenticated", detail, { headers: { "www-authenticate": challenge } });
}
