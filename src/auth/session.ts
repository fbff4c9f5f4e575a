/**
 * S3 credentials for a while. Nothing is stored: the session token holds who has them and until when, sealed under
 * GATEWAY_SECRET, and the secret access key follows from it. That the caller is still there, and what they may do now, is
 * looked at whenever it is used.
 */
import { SecretError, type Secrets } from "../config/secrets.ts";
import { isBase64Of } from "../hash/base64.ts";
import { bytesOf, Message } from "../hash/message.ts";
import { sha256 } from "../hash/sha256.ts";
import { Refused } from "../refused.ts";
import { type Caller, type Directory, identify, type KnownBy, partnerOf } from "./callers.ts";
import { type Claims, claimOf } from "./claims.ts";

export const GATEWAY_SECRET = "GATEWAY_SECRET";

/** Of a caller's credentials, seconds: 12 hours. */
export const MAX_SESSION = 43_200;
/** Where another app says who calls, nobody can be asked later whether they still do: 1 hour. */
const MAX_VOUCHED_SESSION = 3_600;
/** Of a session token that comes, characters. */
const MAX_TOKEN = 8192;

const SALT_BYTES = 32;
const ID_BYTES = 8;

export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
}

/** What a session token holds; short names, since it goes into URLs. */
interface Sealed {
  /** Name of the caller. */
  readonly n: string;
  /** Subject. */
  readonly s?: string;
  /** What the caller was known by: its token, or its issuer. With another one the session has ended. */
  readonly k: string;
  /** The claims that its grants named. */
  readonly c?: Claims;
  /** Of a caller whom another app vouched for. */
  readonly g?: Caller["grants"];
  /** Its end, seconds since the epoch. */
  readonly e: number;
}

/** Why a session does not count. */
export class SessionError extends Error {
  override name = "SessionError";
  readonly hasExpired: boolean;

  constructor(hasExpired = false) {
    super(hasExpired ? "the session has ended" : "the session token does not count");
    this.hasExpired = hasExpired;
  }
}

/** How long a caller's session may last, seconds; less than one where there is no time left. */
export function maxSession({ by }: Caller, now: number): number {
  if (by?.kind === "vouched") return MAX_VOUCHED_SESSION;
  if (by?.kind === "token") return MAX_SESSION;
  return by === undefined ? 0 : Math.min(MAX_SESSION, Math.floor((by.endsAt - now) / 1000));
}

/**
 * @param seconds at most `maxSession`
 * @throws {Refused} unavailable where no GATEWAY_SECRET is bound; misconfigured
 */
export async function openSession(
  caller: Caller,
  seconds: number,
  { secrets }: Pick<Directory, "secrets">,
  now: number,
): Promise<Session> {
  const secret = await gatewaySecret(secrets);
  if (secret === undefined)
    throw new Refused(
      "unavailable",
      "There are no S3 credentials for a while here: the service has no GATEWAY_SECRET.",
    );
  const { by, name, subject, grants } = caller;
  if (by === undefined) throw new Error("a session for a caller who is not known");
  const end = Math.floor(now / 1000) + seconds;
  const sealed: Sealed = {
    n: name,
    ...(subject !== undefined && { s: subject }),
    k: fingerprint(by, by.kind === "token" ? await secrets.read(by.caller.token) : ""),
    ...(by.kind === "jwt" && { c: claimsOf(by) }),
    ...(by.kind === "vouched" && { g: grants }),
    e: end,
  };
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const { seal, ...credentials } = await derived(secret, salt);
  const text = new TextEncoder().encode(JSON.stringify(sealed));
  const box = await crypto.subtle.encrypt({ name: "AES-GCM", iv: IV }, seal, text);
  const sessionToken = Buffer.concat([salt, Buffer.from(box)]).toString("base64url");
  return { ...credentials, sessionToken, endsAt: end * 1000 };
}

export interface Resumed {
  /** With the grants as they are now. */
  readonly caller: Caller;
  readonly secretAccessKey: string;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
}

/**
 * Whose session it is. That it is theirs who use it is for their signature to show.
 *
 * @param isVouched whether another app says who calls
 * @throws {SessionError} when it is none, is another's id, has ended, or its caller is not there any more
 */
export async function resumeSession(
  { accessKeyId, sessionToken }: Pick<Session, "accessKeyId" | "sessionToken">,
  directory: Directory,
  isVouched: boolean,
  now: number,
): Promise<Resumed> {
  const secret = await gatewaySecret(directory.secrets);
  if (secret === undefined || sessionToken.length > MAX_TOKEN) throw new SessionError();
  const bytes = Buffer.from(sessionToken, "base64url");
  // One spelling: another would be another token that works.
  if (bytes.toString("base64url") !== sessionToken || bytes.length <= SALT_BYTES) throw new SessionError();
  const { seal, ...credentials } = await derived(secret, Uint8Array.from(bytes.subarray(0, SALT_BYTES)));
  if (credentials.accessKeyId !== accessKeyId) throw new SessionError();
  const sealed = await unsealed(seal, Uint8Array.from(bytes.subarray(SALT_BYTES)));
  if (sealed.e * 1000 <= now) throw new SessionError(true);
  const caller = await callerNow(sealed, directory, isVouched);
  if (caller === undefined) throw new SessionError();
  return { caller, secretAccessKey: credentials.secretAccessKey, endsAt: sealed.e * 1000 };
}

async function unsealed(key: Key, box: Uint8Array<ArrayBuffer>): Promise<Sealed> {
  try {
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: IV }, key, box);
    return JSON.parse(new TextDecoder().decode(text)) as Sealed;
  } catch {
    throw new SessionError();
  }
}

/** The caller as the configuration has it now, if it is still the one who was given the session. */
async function callerNow(
  { n: name, s: subject, k, c: claims = {}, g: grants }: Sealed,
  { config, secrets }: Directory,
  isVouched: boolean,
): Promise<Caller | undefined> {
  const who = { name, ...(subject !== undefined && { subject }) };
  if (isVouched || grants !== undefined)
    return isVouched && grants !== undefined ? { ...who, grants, by: { kind: "vouched" } } : undefined;
  const partner = config.tokenCallers.find((each) => each.name === name);
  if (partner !== undefined) {
    const token = await secrets.read(partner.token).catch(() => undefined);
    const isSame = token !== undefined && fingerprint({ kind: "token", caller: partner }, token) === k;
    return isSame ? partnerOf(partner) : undefined;
  }
  const issuer = config.jwtCallers.find((each) => each.name === name);
  if (issuer === undefined) return undefined;
  const by = { kind: "jwt", caller: issuer, claims, endsAt: 0 } as const;
  return fingerprint(by, "") === k ? { ...identify(issuer, claims), ...who } : undefined;
}

/** Of what a caller is known by: a hash, which is sealed with the rest. */
function fingerprint(by: KnownBy, token: string): string {
  if (by.kind === "vouched") return "";
  const { caller } = by;
  const text =
    by.kind === "token"
      ? ["token", token]
      : ["jwt", by.caller.issuer, by.caller.audience ?? null, Object.entries(by.caller.require ?? {}).sort()];
  return Buffer.from(bytesOf(sha256(new Message().add(JSON.stringify([caller.name, ...text]))))).toString(
    "base64url",
  );
}

/** Those that the caller's grants name, under the names that they are named by. */
function claimsOf({ caller, claims }: Extract<KnownBy, { kind: "jwt" }>): Claims {
  const names = caller.grants.flatMap(({ prefix }) =>
    [...prefix.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name),
  );
  return Object.fromEntries(
    names
      .filter((name) => name !== undefined)
      .map((name) => [name, claimOf(claims, name)])
      .filter(([, claim]) => typeof claim === "string" || typeof claim === "number"),
  );
}

/** Each token has a key of its own, so that its nonce need not differ. */
const IV = new Uint8Array(12);

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

interface Derived {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly seal: Key;
}

/** What follows from GATEWAY_SECRET and a token's random part (RFC 5869). */
async function derived(secret: Uint8Array<ArrayBuffer>, salt: Uint8Array<ArrayBuffer>): Promise<Derived> {
  const root = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits", "deriveKey"]);
  const by = (info: string) => ({
    name: "HKDF",
    hash: "SHA-256",
    salt,
    info: new TextEncoder().encode(`ssec-edge/session/v1\n${info}`),
  });
  const bits = await crypto.subtle.deriveBits(by("secretAccessKey"), root, 256);
  const seal = await crypto.subtle.deriveKey(by("seal"), root, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  return {
    accessKeyId: `SSEC${Buffer.from(salt.subarray(0, ID_BYTES)).toString("hex").toUpperCase()}`,
    secretAccessKey: Buffer.from(bits).toString("base64"),
    seal,
  };
}

/**
 * Undefined where none is bound: it is optional.
 *
 * @throws {Refused} misconfigured where it is none
 */
export async function gatewaySecret(secrets: Secrets): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const text = await secrets.read(GATEWAY_SECRET).catch((error: unknown) => {
    if (error instanceof SecretError) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  if (isBase64Of(text, 32)) return Uint8Array.from(Buffer.from(text, "base64"));
  throw Refused.misconfigured(
    `secret ${GATEWAY_SECRET} must be base64 of exactly 32 bytes: openssl rand -base64 32`,
  );
}
