/**
 * Users by JWT (RFC 7519), signed by an issuer that the operator trusts. Only public-key algorithms count: a `none`,
 * or an HMAC under a public key, is no signature here.
 */
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from "jose";
import type { JwtCaller } from "../config/load.ts";
import { isName } from "./claims.ts";
import { callerOf } from "./issuer-callers.ts";
import type { Jwks } from "./jwks.ts";

const ALGORITHMS = [
  ...["RS256", "RS384", "RS512"],
  ...["PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512"],
  ...["EdDSA", "Ed25519"],
];

/**
 * What the header's `typ` may be: an ID token, an access token (RFC 9068), or no word of it. An issuer signs much else
 * with the same keys (RFC 8725, section 3.11).
 */
const TYPES = ["jwt", "at+jwt"];

/** How far the issuer's clock may be from ours, seconds. */
const LEEWAY = 60;

/** A token that is not to be believed. The message is for whoever sent it. */
export class JwtError extends Error {
  override name = "JwtError";
  /** What the operator should know of it. */
  readonly operator: string | undefined;

  constructor(message: string, operator?: string) {
    super(message);
    this.operator = operator;
  }
}

export interface VerifiedJwt {
  readonly caller: JwtCaller;
  readonly claims: JWTPayload;
  readonly subject: string;
}

/**
 * The caller that a token's issuer, audience and required claims stand for, once its signature and times are right.
 *
 * @throws {JwtError} when the token is not to be believed
 * @throws {Refused} `unavailable` when the issuer's keys cannot be had
 */
export async function verifyJwt(
  token: string,
  callers: readonly JwtCaller[],
  jwksOf: (caller: JwtCaller) => Promise<Jwks>,
): Promise<VerifiedJwt> {
  // Not believed yet: they only say whose keys to try, or that there is no need to.
  const { header, claims } = peek(token);
  const fromIssuer = callers.filter((caller) => caller.issuer === claims.iss);
  if (fromIssuer.length === 0) throw new JwtError("its issuer is not known here");
  const fault = faultOfHeader(header) ?? faultOfKind(claims);
  if (fault !== undefined) throw new JwtError(fault);
  const found = callerOf(claims, fromIssuer);
  if ("fault" in found) throw new JwtError(found.fault, found.operator);

  const jwks = await jwksOf(found.caller);
  const payload = await verify(token, found.caller, await jwks.find(header));
  const { sub: subject } = payload;
  if (!isName(subject)) throw new JwtError("it names no subject (sub) that could be somebody's name");
  const untimely = faultOfTimes(payload);
  if (untimely !== undefined) throw new JwtError(untimely);
  return { caller: found.caller, claims: payload, subject };
}

function peek(token: string): { header: ProtectedHeaderParameters; claims: JWTPayload } {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    throw new JwtError("it is not a JWT");
  }
}

function faultOfHeader(header: ProtectedHeaderParameters): string | undefined {
  const { alg, typ } = header;
  if (typeof alg !== "string" || !ALGORITHMS.includes(alg)) return "its algorithm is not allowed";
  // No extension is understood here, and an unencoded payload (RFC 7797) is for no JWT.
  if ("crit" in header || "b64" in header) return "it is not a usable JWT";
  const type = typeof typ === "string" ? typ.toLowerCase().replace(/^application\//, "") : typ;
  if (type !== undefined && !TYPES.includes(type as string))
    return "its typ is that of another kind of token";
  return undefined;
}

/** What an issuer signs that is no token to come with, or not for whoever holds it. */
function faultOfKind(claims: JWTPayload): string | undefined {
  // Security events (RFC 8417), among them logouts, whose header need not tell.
  if (Object.hasOwn(claims, "events")) return "it tells of an event";
  // Proof of possession (RFC 7800), by DPoP or a certificate: a bearer proves nothing.
  if (Object.hasOwn(claims, "cnf")) return "it is bound to a key (cnf), of which there is no proof here";
  return undefined;
}

async function verify(
  token: string,
  { issuer, audience }: JwtCaller,
  keys: Awaited<ReturnType<Jwks["find"]>>,
): Promise<JWTPayload> {
  const options = {
    algorithms: ALGORITHMS,
    issuer,
    ...(audience !== undefined && { audience }),
    clockTolerance: LEEWAY,
    requiredClaims: ["sub", "exp"],
  };
  if (keys.length === 0) throw new JwtError("its issuer has no such key");
  // The token may name no key, or one that several are called.
  for (const key of keys) {
    const verified = await jwtVerify(token, key, options).catch((error: unknown) => {
      if (isOfTheKey(error)) return undefined;
      throw reasonOf(error);
    });
    if (verified !== undefined) return verified.payload;
  }
  throw new JwtError("its signature is not right");
}

/** Whether another key may do better: what a token itself lacks is told by jose's other errors. */
function isOfTheKey(error: unknown): boolean {
  return !(error instanceof errors.JOSEError) || error instanceof errors.JWSSignatureVerificationFailed;
}

/** What jose leaves: an end that never comes (JSON's 1e999), and a token that is not made yet. */
function faultOfTimes({ exp, iat = 0 }: JWTPayload): string | undefined {
  if (!Number.isFinite(exp)) return "its exp is not right";
  if (iat > Date.now() / 1000 + LEEWAY) return "its iat is not right: it is in the future";
  return undefined;
}

function reasonOf(error: unknown): JwtError {
  if (error instanceof errors.JWTExpired) return new JwtError("it has expired");
  if (error instanceof errors.JWTClaimValidationFailed)
    return new JwtError(`its ${error.claim} is not right`);
  // Whatever else a forged header brings about is the token's fault, not ours.
  return new JwtError("it is not a usable JWT");
}
