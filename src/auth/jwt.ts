/**
 * Users by JWT (RFC 7519), signed by an issuer that the operator trusts. Only public-key algorithms count: a `none`,
 * or an HMAC under a public key, is no signature here.
 */
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { JwtCaller } from "../config/load.ts";
import { Problem } from "../problem.ts";
import type { Jwks } from "./jwks.ts";

const ALGORITHMS = [
  ...["RS256", "RS384", "RS512"],
  ...["PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512"],
  ...["EdDSA", "Ed25519"],
];

/** How far the issuer's clock may be from ours, seconds. */
const LEEWAY = 60;

/** A token that is not to be believed. The message is for whoever sent it. */
export class JwtError extends Error {
  override name = "JwtError";
}

export interface VerifiedJwt {
  readonly caller: JwtCaller;
  readonly claims: JWTPayload;
  readonly subject: string;
}

/**
 * The caller that a token's issuer and audience stand for, once its signature and times are right.
 *
 * @throws {JwtError} when the token is not to be believed
 * @throws {Problem} `unavailable` when the issuer's keys cannot be had
 */
export async function verifyJwt(
  token: string,
  callers: readonly JwtCaller[],
  jwksOf: (caller: JwtCaller) => Promise<Jwks>,
): Promise<VerifiedJwt> {
  // Not believed yet: it only says whose keys to try.
  const { issuer, audiences } = peek(token);
  const fromIssuer = callers.filter((caller) => caller.issuer === issuer);
  if (fromIssuer.length === 0) throw new JwtError("its issuer is not known here");
  const caller = fromIssuer.find(({ audience }) => audiences.includes(audience));
  if (caller === undefined) throw new JwtError("it is for another audience");

  const { payload } = await verify(token, caller, (await jwksOf(caller)).find);
  if (typeof payload.sub !== "string" || payload.sub === "") throw new JwtError("it names no subject (sub)");
  return { caller, claims: payload, subject: payload.sub };
}

function peek(token: string): { issuer: unknown; audiences: readonly unknown[] } {
  try {
    const { iss, aud } = decodeJwt(token);
    return { issuer: iss, audiences: Array.isArray(aud) ? aud : [aud] };
  } catch {
    throw new JwtError("it is not a JWT");
  }
}

async function verify(token: string, { issuer, audience }: JwtCaller, find: JWTVerifyGetKey) {
  const options = {
    algorithms: ALGORITHMS,
    issuer,
    audience,
    clockTolerance: LEEWAY,
    requiredClaims: ["sub", "exp"],
  };
  try {
    return await jwtVerify(token, find, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw reasonOf(error);
    // The token names no key, and several would do.
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, options);
      } catch (each) {
        if (!(each instanceof errors.JWSSignatureVerificationFailed)) throw reasonOf(each);
      }
    }
    throw new JwtError("its signature is not right");
  }
}

function reasonOf(error: unknown): Error {
  if (error instanceof Problem) return error;
  if (error instanceof errors.JWTExpired) return new JwtError("it has expired");
  if (error instanceof errors.JWTClaimValidationFailed)
    return new JwtError(`its ${error.claim} is not right`);
  if (error instanceof errors.JOSEAlgNotAllowed) return new JwtError("its algorithm is not allowed");
  if (error instanceof errors.JWKSNoMatchingKey) return new JwtError("its issuer has no such key");
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new JwtError("its signature is not right");
  // Whatever else a forged header brings about (`crit`, a key of another kind) is the token's fault, not ours.
  if (error instanceof errors.JOSEError || error instanceof TypeError)
    return new JwtError("it is not a usable JWT");
  return error instanceof Error ? error : new Error("verification failed");
}
