/**
 * AWS Signature Version 4 for S3, in the order of the specification: canonical request, string to sign, signing key,
 * signature. What is the same for a day, a second or a set of header names is prepared once. Headers are signed as
 * headers: nothing here can put one into a URL.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { HmacKey } from "../../hash/hmac.ts";
import { BLOCK, Message } from "../../hash/message.ts";
import { sha256 } from "../../hash/sha256.ts";
import { encodeRfc3986 } from "../api/encode.ts";
import { type SignedHeaders, signedHeaders } from "./canonical.ts";

export const ALGORITHM = "AWS4-HMAC-SHA256";
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

// Nothing here waits, so that one of each serves all.
const canonical = new Message(4096);
const words = new Int32Array(8);

/** What a store knows somebody by. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SignableRequest {
  readonly method: string;
  /** With its port, unless that is the protocol's own. */
  readonly host: string;
  /** Percent-encoded, as it is sent. */
  readonly path: string;
  /** Encoded and sorted. S3's own parameters begin with small letters, so that those of the signature come first. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

const signers = new WeakMap<Credentials, Signer>();

/** The signer of these very credentials, which are of one store and so of one region. */
export function signerOf(credentials: Credentials, region: string): Signer {
  const known = signers.get(credentials);
  if (known?.region === region) return known;
  const signer = new Signer(credentials, region);
  signers.set(credentials, signer);
  return signer;
}

/** Signs with one pair of credentials in one region. */
export class Signer {
  readonly region: string;
  readonly #credentials: Credentials;
  #day: { readonly date: string; readonly key: HmacKey } | undefined;
  #scope: Scope | undefined;

  constructor(credentials: Credentials, region: string) {
    this.region = region;
    this.#credentials = credentials;
  }

  /** The query of a URL that makes the request, for `expiresIn` seconds from `date` on. */
  presign({ method, host, path, query, headers }: SignableRequest, date: Date, expiresIn: number): string {
    const scope = this.scope(date);
    const signed = signedHeaders(headers);
    const own = scope.query(expiresIn, signed, query);
    begin(method, path).addBytes(own.bytes).addBytes(signed.block(headers, host)).add(UNSIGNED_PAYLOAD);
    return `${own.text}&X-Amz-Signature=${scope.sign(canonical)}`;
  }

  /**
   * The headers that make the request: those given, and the signature's own.
   *
   * @param request its body is not signed, unless its hash is given as x-amz-content-sha256
   */
  authorize(request: SignableRequest, date: Date): Record<string, string> {
    const { method, host, path, query } = request;
    const scope = this.scope(date);
    const { sessionToken } = this.#credentials;
    const headers: Record<string, string> = {
      "x-amz-content-sha256": UNSIGNED_PAYLOAD,
      ...request.headers,
      "x-amz-date": scope.timestamp,
      ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
    };
    const signed = signedHeaders(headers);
    begin(method, path)
      .add(query)
      .addBytes(signed.block(headers, host))
      .add(headers["x-amz-content-sha256"] ?? UNSIGNED_PAYLOAD);
    const authorization = `${ALGORITHM} Credential=${scope.credential}, SignedHeaders=${signed.names}, Signature=${scope.sign(canonical)}`;
    return { ...headers, authorization };
  }

  /** What is signed within one second. */
  scope(date: Date): Scope {
    const second = Math.floor(date.getTime() / 1000);
    if (this.#scope?.second !== second) this.#scope = this.#scopeAt(second);
    return this.#scope;
  }

  #scopeAt(second: number): Scope {
    const { secretAccessKey } = this.#credentials;
    const timestamp = new Date(second * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
    const date = timestamp.slice(0, 8);
    if (this.#day?.date !== date) this.#day = { date, key: signingKey(secretAccessKey, date, this.region) };
    return new Scope(
      this.#credentials,
      `${date}/${this.region}/s3/aws4_request`,
      second,
      timestamp,
      this.#day.key,
    );
  }
}

/** The canonical request, as far as it goes before the query. */
function begin(method: string, path: string): Message {
  return canonical.restart().add(method).add("\n").add(path).add("\n");
}

/** What stands in a URL behind its path, before the signature. */
interface Query {
  readonly expiresIn: number;
  readonly signed: SignedHeaders;
  readonly own: string;
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** The credential scope, and everything else that stays for a second. */
export class Scope {
  /** Since the epoch. */
  readonly second: number;
  /** `20130524T000000Z` */
  readonly timestamp: string;
  /** `AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request` */
  readonly credential: string;
  readonly #token: string;
  readonly #key: HmacKey;
  readonly #stringKey: HmacKey;
  /** The string to sign, after the blocks that `#stringKey` has taken in. */
  readonly #string: Message;
  /** How much of it stays. */
  readonly #before: number;
  readonly #queryMemory = new Message(1024);
  #query: Query | undefined;

  constructor(
    { accessKeyId, sessionToken }: Credentials,
    scope: string,
    second: number,
    timestamp: string,
    key: HmacKey,
  ) {
    this.second = second;
    this.timestamp = timestamp;
    this.credential = `${accessKeyId}/${scope}`;
    this.#token = sessionToken === undefined ? "" : `&X-Amz-Security-Token=${encodeRfc3986(sessionToken)}`;
    const { bytes } = new Message().add(`${ALGORITHM}\n${timestamp}\n${scope}\n`);
    const whole = bytes.length - (bytes.length % BLOCK);
    this.#key = key;
    this.#stringKey = key.after(Message.of(bytes.subarray(0, whole)));
    this.#string = Message.of(bytes.subarray(whole));
    this.#before = this.#string.length;
  }

  /**
   * The query of a URL, without its signature: that of the request before, where this one differs only in what it is
   * for.
   *
   * @param own the parameters of the request itself
   */
  query(expiresIn: number, signed: SignedHeaders, own: string): Query {
    const before = this.#query;
    if (before?.signed === signed && before.expiresIn === expiresIn && before.own === own) return before;
    const text =
      `X-Amz-Algorithm=${ALGORITHM}&X-Amz-Content-Sha256=${UNSIGNED_PAYLOAD}` +
      `&X-Amz-Credential=${encodeRfc3986(this.credential)}&X-Amz-Date=${this.timestamp}&X-Amz-Expires=${expiresIn}` +
      `${this.#token}&X-Amz-SignedHeaders=${signed.encodedNames}${own && `&${own}`}`;
    this.#query = { expiresIn, signed, own, text, bytes: this.#queryMemory.restart().add(text).bytes };
    return this.#query;
  }

  /** The signature of a canonical request, hexadecimal. */
  sign(canonicalRequest: Message): string {
    sha256(canonicalRequest, undefined, words);
    return hex(this.#stringKey.sign(this.#string.restart(this.#before).addHex(words), words));
  }

  /** The signature of a form's policy. */
  signText(text: string): string {
    return hex(this.#key.sign(new Message().add(text)));
  }
}

/** The key of one day, region and service: the secret, folded over the scope. */
export function signingKey(secretAccessKey: string, date: string, region: string): HmacKey {
  const message = new Message();
  return [date, region, "s3", "aws4_request"].reduce(
    (key, part) => HmacKey.of(new Message().addWords(key.sign(message.restart().add(part)))),
    HmacKey.of(message.restart().add(`AWS4${secretAccessKey}`)),
  );
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hex(words: Int32Array): string {
  let text = "";
  for (const word of words) {
    text +=
      byteHex(word >>> 24) +
      byteHex((word >>> 16) & 0xff) +
      byteHex((word >>> 8) & 0xff) +
      byteHex(word & 0xff);
  }
  return text;
}

function byteHex(byte: number): string {
  return HEX[byte] ?? "";
}
