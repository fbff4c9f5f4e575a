/** Who is calling: a partner by its token, or a user of an app by a JWT. */
import type { Config, Grant, JwtCaller, TokenCaller } from "../config/load.ts";
import { isAllowedOrigin } from "../config/origins.ts";
import { SecretError, type Secrets } from "../config/secrets.ts";
import { areEqual } from "../hash/equal.ts";
import { Message } from "../hash/message.ts";
import { sha256 } from "../hash/sha256.ts";
import { logError } from "../log.ts";
import { Refused } from "../refused.ts";
import { type Claims, fillClaims } from "./claims.ts";
import type { Jwks } from "./jwks.ts";
import { MAX_TOKEN_LENGTH, tokenFault } from "./token.ts";

/** Whoever calls, with the grants that are theirs: the claims in their prefixes are filled in. */
export interface Caller {
  readonly name: string;
  /** The user, where an issuer vouches for one. */
  readonly subject?: string;
  readonly grants: readonly Grant[];
  /** What shows that it is them: S3 credentials for a while are given on the strength of it. */
  readonly by?: KnownBy;
}

export type KnownBy =
  | { readonly kind: "token"; readonly caller: TokenCaller }
  | {
      readonly kind: "jwt";
      readonly caller: JwtCaller;
      readonly claims: Claims;
      /** Of the JWT, milliseconds since the epoch. */
      readonly endsAt: number;
    }
  /** Another app says so. */
  | { readonly kind: "vouched" };

/** What authentication needs to know of the service. */
export interface Directory {
  readonly config: Pick<Config, "tokenCallers" | "jwtCallers" | "allowedOrigins">;
  readonly secrets: Secrets;
  readonly jwksOf: (caller: JwtCaller) => Promise<Jwks>;
}

/** How a token may come beside `Authorization: Bearer`. */
export interface Ways {
  /** As the password of Basic (RFC 7617), whoever its user is. */
  readonly isBasicTaken?: boolean;
}

/**
 * The caller of a request.
 *
 * @throws {Refused} `unauthenticated`; `unavailable` when the keys of the token's issuer cannot be had
 */
export async function authenticate(
  request: Request,
  directory: Directory,
  { isBasicTaken = false }: Ways = {},
): Promise<Caller> {
  const password = isBasicTaken ? (await import("./basic.ts")).passwordOf(request.headers) : undefined;
  const token = password ?? tokenOf(request, directory.config.allowedOrigins);
  if (token.length > MAX_TOKEN_LENGTH) throw notBelieved(`it is longer than ${MAX_TOKEN_LENGTH} characters`);
  const { tokenCallers, jwtCallers } = directory.config;
  const partner = await findByToken(token, tokenCallers, directory.secrets);
  if (partner !== undefined) return partnerOf(partner);
  if (jwtCallers.length === 0 || !isJwt(token)) throw notBelieved("it is nobody's");
  // Evaluated only where users come with JWTs.
  const { JwtError, verifyJwt } = await import("./jwt.ts");
  try {
    const { caller, claims, subject } = await verifyJwt(token, jwtCallers, directory.jwksOf);
    const endsAt = (claims.exp ?? 0) * 1000;
    return { ...identify(caller, claims), subject, by: { kind: "jwt", caller, claims, endsAt } };
  } catch (error) {
    if (error instanceof JwtError) throw notBelieved(error.message, error.operator);
    throw error;
  }
}

/**
 * The bearer token, or what Cloudflare Access puts in its place. The latter comes of a cookie, so that a page of
 * another origin could send it along: it counts only for pages that may call.
 *
 * @see https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */
function tokenOf({ headers, url }: Request, allowedOrigins: readonly string[]): string {
  const authorization = headers.get("authorization");
  if (authorization === null) {
    const origin = headers.get("origin");
    const mayCall =
      origin === null || origin === new URL(url).origin || isAllowedOrigin(allowedOrigins, origin);
    const assertion = headers.get("cf-access-jwt-assertion");
    if (assertion !== null && mayCall) return assertion;
  }
  const token = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? "")?.[1];
  if (token !== undefined) return token;
  throw new Refused("unauthenticated", "Send the token as `Authorization: Bearer TOKEN`.");
}

/** Whether a token has the form of a signed JWT: three dotted parts. */
function isJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

const partners = new WeakMap<TokenCaller, Caller>();

/** A partner has no claims, and so is always the same. */
export function partnerOf(caller: TokenCaller): Caller {
  const partner = partners.get(caller) ?? { ...identify(caller, {}), by: { kind: "token", caller } };
  partners.set(caller, partner);
  return partner;
}

/** A caller with the grants that claims make theirs. */
export function identify({ name, grants }: TokenCaller | JwtCaller, claims: Claims): Caller {
  return {
    name,
    grants: grants.flatMap((grant) => {
      const prefix = fillClaims(grant.prefix, claims);
      return prefix === undefined ? [] : [{ ...grant, prefix }];
    }),
  };
}

/**
 * Digests are compared rather than tokens, in constant time, and always with those of all callers, so that neither
 * the time nor the order tells anything about a token.
 */
async function findByToken(
  token: string,
  callers: readonly TokenCaller[],
  secrets: Secrets,
): Promise<TokenCaller | undefined> {
  const presented = digest(token);
  let found: TokenCaller | undefined;
  for (const caller of callers) {
    const expected = await digestOf(caller, secrets);
    const isTheirs = areEqual(presented, expected ?? presented) && expected !== undefined;
    if (isTheirs && found !== undefined) {
      throw Refused.misconfigured(`CALLERS.${found.name} and CALLERS.${caller.name} have the same token`);
    }
    if (isTheirs) found = caller;
  }
  return found;
}

/** Without a digest where the token does not count. */
const digests = new WeakMap<
  TokenCaller,
  { readonly token: string; readonly digest: Int32Array | undefined }
>();

/**
 * Undefined where the caller's secret cannot be read, or is a token that does not count: nobody is that caller then, and
 * others are not disturbed. Of the latter the log says so, once.
 */
async function digestOf(caller: TokenCaller, secrets: Secrets): Promise<Int32Array | undefined> {
  try {
    const token = await secrets.read(caller.token);
    let known = digests.get(caller);
    if (known?.token !== token) {
      known = { token, digest: isCounted(caller, token) ? digest(token) : undefined };
      digests.set(caller, known);
    }
    return known.digest;
  } catch (error) {
    if (error instanceof SecretError) return undefined;
    throw error;
  }
}

function isCounted({ name, token: secret }: TokenCaller, token: string): boolean {
  const fault = tokenFault(token);
  if (fault === undefined) return true;
  const message = `secret ${secret} is a token ${fault}: nobody is CALLERS.${name}; openssl rand -base64 32 makes a token that counts`;
  logError({ code: "misconfigured", message });
  return false;
}

function digest(text: string): Int32Array {
  return sha256(message.restart().add(text));
}

// Nothing here waits, so that one serves all.
const message = new Message(256);

/** @param why after "The token does not count:"; ASCII without quotes */
function notBelieved(why: string, operator?: string): Refused {
  return new Refused("unauthenticated", `The token does not count: ${why}.`, {
    operator,
    disbelief: why,
  });
}
