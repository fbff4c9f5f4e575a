/**
 * Who has signed a request, by Signature Version 4 in its header or its query: nothing of it is done before. Stricter than
 * most stores, and as strict as AWS: every x-amz-* header must be signed.
 */
import type { Caller } from "../auth/callers.ts";
import type { Config } from "../config/load.ts";
import type { Service } from "../service.ts";
import { type Arrived, arrived } from "./arrived.ts";
import { bodyOf, type VerifiedBody } from "./body.ts";
import { type Claim, claimOf } from "./claim.ts";
import { S3Fault } from "./faults.ts";
import { holderOf } from "./holder.ts";
import { isSigned, keyOf } from "./signature.ts";

export interface Verified {
  readonly caller: Caller;
  readonly isPresigned: boolean;
  /** Of a presigned URL, seconds. */
  readonly expiresIn?: number;
  /** The same, milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** What is left of the query without the signature's own parameters (X-Amz-*) and without headers, in its order. */
  readonly query: URLSearchParams;
  /** What is left of the headers, those in the query among them, without the signature's own and the framing of the body. */
  readonly headers: Headers;
  readonly body: VerifiedBody;
}

export interface At {
  /** As the client signed it: the request's own Host header. */
  readonly host: string;
  readonly service: Service;
  /** Milliseconds since the epoch. */
  readonly now?: number;
}

/** How far clocks may be apart, milliseconds. */
const MAX_SKEW = 15 * 60_000;

/** Of which most clients say one, whatever they talk to. */
const REGIONS = ["us-east-1", "auto"];

/** For who is nobody: as long as a token. */
const NOBODY = crypto.randomUUID() + crypto.randomUUID();

/**
 * The caller who has signed what arrived, and what of it is still to be looked at.
 *
 * @throws {S3Fault} as S3 refuses
 */
export async function verify(request: Request, { host, service, now = Date.now() }: At): Promise<Verified> {
  const whole = arrived(request, host);
  const claim = claimOf(whole);
  checkRegion(claim, service.config);
  const signedAt = dateOf(claim.timestamp);
  checkTime(claim, signedAt, now);
  checkSignedHeaders(claim, whole);

  const holder = await holderOf(claim, service, now);
  const key = keyOf(holder?.secretAccessKey ?? NOBODY, claim);
  const isRight = isSigned(whole, claim, key);
  if (holder === undefined)
    throw new S3Fault(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  if (!isRight)
    throw new S3Fault(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  if (holder.objection !== undefined) throw holder.objection;

  const { expiresIn } = claim;
  const query = new URLSearchParams([...claim.others]);
  const { headers, body } = await bodyOf(request, query, claim, key);
  return {
    caller: holder.caller,
    isPresigned: expiresIn !== undefined,
    ...(expiresIn !== undefined && {
      expiresIn,
      expiresAt: Math.min(signedAt + expiresIn * 1000, holder.endsAt ?? Number.POSITIVE_INFINITY),
    }),
    query,
    headers,
    body,
  };
}

/** A region means nothing here; but a signature for another one was not meant for this service. */
function checkRegion({ region, expiresIn }: Claim, { stores }: Config): void {
  if (REGIONS.includes(region) || [...stores.values()].some((store) => store.region === region)) return;
  throw new S3Fault(
    expiresIn === undefined ? "AuthorizationHeaderMalformed" : "AuthorizationQueryParametersError",
    `The region '${region}' is wrong; expecting '${REGIONS[0]}'`,
  );
}

/** Milliseconds since the epoch. */
function dateOf(timestamp: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp) ?? [];
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!Number.isNaN(date.getTime())) return date.getTime();
  throw new S3Fault("AccessDenied", "The date of the signature must be as 20261123T150000Z.");
}

function checkTime({ expiresIn }: Claim, signedAt: number, now: number): void {
  const age = now - signedAt;
  if (expiresIn === undefined) {
    if (Math.abs(age) <= MAX_SKEW) return;
    throw new S3Fault(
      "RequestTimeTooSkewed",
      "The difference between the request time and the server's time is too large.",
    );
  }
  if (age < -MAX_SKEW) throw new S3Fault("AccessDenied", "Request is not valid yet");
  if (age > expiresIn * 1000) throw new S3Fault("AccessDenied", "Request has expired");
}

/** CloudFront's own mark, which no client knows of and nobody reads. */
const MARK = "x-amz-cf-id";

function checkSignedHeaders({ signedHeaders }: Claim, { headerNames }: Arrived): void {
  if (!signedHeaders.includes("host")) throw new S3Fault("AccessDenied", "The host header must be signed.");
  const unsigned = headerNames.filter(
    (name) => name.startsWith("x-amz-") && name !== MARK && !signedHeaders.includes(name),
  );
  if (unsigned.length === 0) return;
  throw new S3Fault(
    "AccessDenied",
    `There were headers present in the request which were not signed: HeadersNotSigned ${unsigned.join(", ")}`,
  );
}
