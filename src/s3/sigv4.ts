/**
 * AWS Signature Version 4 for S3, in the order of the specification: canonical request, string to sign, signing key,
 * signature. What is the same for a day, a second or a set of header names is prepared once. Headers are signed as
 * headers: nothing here can put one into a URL.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { HmacKey } from "../hash/hmac.ts";
import { BLOCK, Message, type Prepared, prepare } from "../hash/message.ts";
import { sha256 } from "../hash/sha256.ts";
import { addHeaders, signedHeaders } from "./canonical.ts";
import type { Credentials } from "./credentials.ts";
import { encodeRfc3986 } from "./encode.ts";

export const ALGORITHM = "AWS4-HMAC-SHA256";
const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

// Nothing here waits, so that one serves all.
const canonical = new Message(4096);

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
  readonly #token: string;
  #day = { date: "", key: HmacKey.of(new Message()) };
  #scope: Scope | undefined;

  constructor(credentials: Credentials, region: string) {
    const { sessionToken } = credentials;
    this.region = region;
    this.#credentials = credentials;
    this.#token = sessionToken === undefined ? "" : `&X-Amz-Security-Token=${encodeRfc3986(sessionToken)}`;
  }

  /** The query of a URL that makes the request, for `expiresIn` seconds from `date` on. */
  presign({ method, host, path, query, headers }: SignableRequest, date: Date, expiresIn: number): string {
    const scope = this.scope(date);
    const signed = signedHeaders(headers);
    const token = this.#token;
    const own = query === "" ? "" : `&${query}`;
    canonical
      .restart()
      .add(method)
      .add("\n")
      .add(path)
      .add("\n")
      .addBytes(scope.query.bytes)
      .add(String(expiresIn))
      .add(token)
      .addBytes(signed.query.bytes)
      .add(own);
    const signature = scope.sign(addHeaders(canonical, signed, headers, host).add(UNSIGNED_PAYLOAD));
    return `${scope.query.text}${expiresIn}${token}${signed.query.text}${own}&X-Amz-Signature=${signature}`;
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
    canonical.restart().add(method).add("\n").add(path).add("\n").add(query);
    addHeaders(canonical, signed, headers, host).add(headers["x-amz-content-sha256"] ?? UNSIGNED_PAYLOAD);
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
    const { accessKeyId, secretAccessKey } = this.#credentials;
    const timestamp = new Date(second * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
    const date = timestamp.slice(0, 8);
    if (this.#day.date !== date) this.#day = { date, key: signingKey(secretAccessKey, date, this.region) };
    return new Scope(accessKeyId, `${date}/${this.region}/s3/aws4_request`, second, timestamp, this.#day.key);
  }
}

/** The credential scope, and everything else that stays for a second. */
export class Scope {
  /** Since the epoch. */
  readonly second: number;
  /** `20130524T000000Z` */
  readonly timestamp: string;
  /** `AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request` */
  readonly credential: string;
  /** The signature's parameters, up to the number of seconds after which a URL expires. */
  readonly query: Prepared;
  readonly #key: HmacKey;
  readonly #stringKey: HmacKey;
  /** The string to sign, after the blocks that `#stringKey` has taken in. */
  readonly #string: Message;
  /** How much of it stays. */
  readonly #before: number;

  constructor(accessKeyId: string, scope: string, second: number, timestamp: string, key: HmacKey) {
    this.second = second;
    this.timestamp = timestamp;
    this.credential = `${accessKeyId}/${scope}`;
    this.query = prepare(
      `X-Amz-Algorithm=${ALGORITHM}&X-Amz-Content-Sha256=${UNSIGNED_PAYLOAD}` +
        `&X-Amz-Credential=${encodeRfc3986(this.credential)}&X-Amz-Date=${timestamp}&X-Amz-Expires=`,
    );
    const { bytes } = prepare(`${ALGORITHM}\n${timestamp}\n${scope}\n`);
    const whole = bytes.length - (bytes.length % BLOCK);
    this.#key = key;
    this.#stringKey = key.after(Message.of(bytes.subarray(0, whole)));
    this.#string = Message.of(bytes.subarray(whole));
    this.#before = this.#string.length;
  }

  /** The signature of a canonical request, hexadecimal. */
  sign(canonicalRequest: Message): string {
    return hex(this.#stringKey.sign(this.#string.restart(this.#before).addHex(sha256(canonicalRequest))));
  }

  /** The signature of a form's policy. */
  signText(text: string): string {
    return hex(this.#key.sign(new Message().add(text)));
  }
}

/** The key of one day, region and service: the secret, folded over the scope. */
function signingKey(secretAccessKey: string, date: string, region: string): HmacKey {
  const message = new Message();
  return [date, region, "s3", "aws4_request"].reduce(
    (key, part) => HmacKey.of(new Message().addWords(key.sign(message.restart().add(part)))),
    HmacKey.of(message.restart().add(`AWS4${secretAccessKey}`)),
  );
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(words: Int32Array): string {
  let text = "";
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    text += `${HEX[word >>> 24]}${HEX[(word >>> 16) & 0xff]}${HEX[(word >>> 8) & 0xff]}${HEX[word & 0xff]}`;
  }
  return text;
}
