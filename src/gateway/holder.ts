/** Whose an access key id is, and the secret that goes with it. */
import { type Caller, partnerOf } from "../auth/callers.ts";
import { isSigningSecret, tokenFault } from "../auth/token.ts";
import { SecretError } from "../config/secrets.ts";
import type { Service } from "../service.ts";
import type { Claim } from "./claim.ts";
import { S3Fault } from "./faults.ts";

export interface Holder {
  readonly caller: Caller;
  readonly secretAccessKey: string;
  /** Of credentials for a while, milliseconds. */
  readonly endsAt?: number;
  /** What to answer instead, once the signature is right: nobody else is to learn of it. */
  readonly objection?: S3Fault;
}

/**
 * @returns undefined where nobody holds it
 * @throws {S3Fault} InvalidToken, ExpiredToken
 */
export async function holderOf(claim: Claim, service: Service, now: number): Promise<Holder | undefined> {
  const { accessKeyId, sessionToken } = claim;
  // Never looked for among callers, however they are called.
  if (sessionToken === undefined) return partner(accessKeyId, service);
  const { resumeSession, SessionError } = await import("../auth/session.ts");
  try {
    const isVouched = service.authenticate !== undefined;
    return await resumeSession({ accessKeyId, sessionToken }, service, isVouched, now);
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    throw error.hasExpired
      ? new S3Fault("ExpiredToken", "The provided token has expired.")
      : new S3Fault("InvalidToken", "The provided token is malformed or otherwise invalid.");
  }
}

/** A partner signs with the token itself. */
async function partner(
  name: string,
  { config, secrets, authenticate }: Service,
): Promise<Holder | undefined> {
  const caller = config.tokenCallers.find((each) => each.name === name);
  // Where the app that this is a part of says who calls, nobody else is let in.
  if (caller === undefined || authenticate !== undefined) return undefined;
  const token = await secrets.read(caller.token).catch((error: unknown) => {
    if (error instanceof SecretError) return undefined;
    throw error;
  });
  if (token === undefined || tokenFault(token) !== undefined) return undefined;
  const holder = { caller: partnerOf(caller), secretAccessKey: token };
  if (isSigningSecret(token)) return holder;
  const objection = new S3Fault(
    "AccessDenied",
    "This caller's token is too short to sign with: a signature would let it be guessed.",
    {
      operator: `secret ${caller.token} is a token of under 128 bits, with which CALLERS.${name} cannot use S3 at the edge; openssl rand -base64 32 makes a token that counts`,
    },
  );
  return { ...holder, objection };
}
