/**
 * The signature that a request must have: SigV4's canonical request, made of what arrived.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { areEqual } from "../hash/equal.ts";
import type { HmacKey } from "../hash/hmac.ts";
import { Message } from "../hash/message.ts";
import { sha256 } from "../hash/sha256.ts";
import { encodeRfc3986 } from "../s3/api/encode.ts";
import { trimmed } from "../s3/sign/canonical.ts";
import { ALGORITHM, signingKey } from "../s3/sign/sigv4.ts";
import type { Arrived, Parameter } from "./arrived.ts";
import type { Claim } from "./claim.ts";

/** Signs one day's requests of one caller in one region, and the chunks of their bodies. */
export function keyOf(secret: string, { day, region }: Pick<Claim, "day" | "region">): HmacKey {
  const name = `${day}/${region}/${secret}`;
  let key = keys.get(name);
  if (key === undefined) {
    if (keys.size >= MAX_KEYS) keys.clear();
    key = signingKey(secret, day, region);
    keys.set(name, key);
  }
  return key;
}

const MAX_KEYS = 100;
const keys = new Map<string, HmacKey>();

export function scopeOf({ day, region }: Pick<Claim, "day" | "region">): string {
  return `${day}/${region}/s3/aws4_request`;
}

/** Whether a request has the signature that its claim says. */
export function isSigned(request: Arrived, claim: Claim, key: HmacKey): boolean {
  const given = wordsOf(claim.signature);
  const hasList = claim.signedHeaders.some((name) => request.header(name)?.includes(", "));
  const spellings = hasList ? [asJoined, asSigned] : [asJoined];
  return spellings.some((spell) => areEqual(signatureOf(request, claim, key, spell), given));
}

/** A header's value as its sender may have signed it. */
type Spell = (name: string, value: string) => string;

const asJoined: Spell = (_, value) => value;

/**
 * A header that came several times is there as one value, joined by a comma and a space; signers join it by a comma alone.
 * Of S3's own headers one spelling counts: in their values a space may mean something.
 */
const asSigned: Spell = (name, value) => (name.startsWith("x-amz-") ? value : value.replaceAll(", ", ","));

function signatureOf(request: Arrived, claim: Claim, key: HmacKey, spell: Spell): Int32Array {
  const { method, path, parameters, header } = request;
  const { signedHeaders, timestamp, payload } = claim;
  canonical.restart().add(method).add("\n").add(path).add("\n").add(canonicalQuery(parameters)).add("\n");
  for (const name of signedHeaders) {
    canonical
      .add(name)
      .add(":")
      .add(spell(name, trimmed(header(name) ?? "")))
      .add("\n");
  }
  canonical.add("\n").add(signedHeaders.join(";")).add("\n").add(payload);
  const hashed = sha256(canonical);
  return key.sign(
    text
      .restart()
      .add(`${ALGORITHM}\n${timestamp}\n${scopeOf(claim)}\n`)
      .addHex(hashed),
  );
}

/** By name, and where they are alike by value. */
function canonicalQuery(parameters: readonly Parameter[]): string {
  return parameters
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** @param hex 64 digits */
export function wordsOf(hex: string): Int32Array {
  return Int32Array.from({ length: 8 }, (_, i) => Number.parseInt(hex.slice(8 * i, 8 * i + 8), 16));
}

// Nothing here waits, so that one of each serves all.
const canonical = new Message(4096);
const text = new Message(256);
