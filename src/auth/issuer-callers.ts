/** Several callers may share an issuer: whose a token is, by its audience and by the claims that each of them requires. */
import type { JwtCaller } from "../config/load.ts";
import { type Claims, claimOf } from "./claims.ts";

/** Whose token it is, or why it is nobody's. */
export type Found = { readonly caller: JwtCaller } | { readonly fault: string; readonly operator?: string };

/**
 * The caller whom a token is for. Where it is for several, it is the one who demands all that the others do and more; where
 * there is no such one it is nobody's, rather than the first's.
 *
 * @param callers those of the token's issuer
 */
export function callerOf(claims: Claims, callers: readonly JwtCaller[]): Found {
  const addressed = callers.filter(({ audience }) => isFor(audience, claims));
  if (addressed.length === 0) return { fault: "it is for another audience" };
  const fitting = addressed.filter(({ require }) => isAsRequired(require, claims));
  if (fitting.length === 0) return { fault: "it lacks a claim that is required here, or has another value" };
  const strictest = fitting.find((caller) => fitting.every((other) => demandsAllOf(caller, other)));
  if (strictest !== undefined) return { caller: strictest };
  return {
    fault: "it is for several callers at once",
    operator: `a token fits ${fitting.map(({ name }) => `CALLERS.${name}`).join(" and ")}: let their "require" tell them apart`,
  };
}

/** A token that names an audience is for nobody else (RFC 7519, section 4.1.3), and so not for who has no name for it. */
function isFor(audience: string | undefined, claims: Claims): boolean {
  if (audience === undefined) return !Object.hasOwn(claims, "aud");
  const { aud } = claims;
  return Array.isArray(aud) ? aud.includes(audience) : aud === audience;
}

function isAsRequired(require: JwtCaller["require"], claims: Claims): boolean {
  return Object.entries(require ?? {}).every(([name, value]) => Object.is(claimOf(claims, name), value));
}

/** Of two callers that one token fits: their values are the same, so that the names tell. */
function demandsAllOf(caller: JwtCaller, other: JwtCaller): boolean {
  return (
    caller.audience === other.audience &&
    Object.keys(other.require ?? {}).every((name) => Object.hasOwn(caller.require ?? {}, name))
  );
}
