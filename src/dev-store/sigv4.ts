/**
 * Signature Version 4, verified with the SDK's own signer: the request is rebuilt from exactly what was signed, signed
 * again, and compared. Stricter than most stores: every x-amz-* header must be signed, as AWS demands.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { SignatureV4 } from "@smithy/signature-v4";
import { S3Error } from "./errors.ts";
import type { Target } from "./target.ts";
import { encodeKey } from "./uri.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of credentials for a while: every request must bring it. */
  readonly sessionToken?: string;
}

/** What signatures within a body go on from. */
export interface Signing {
  readonly date: string;
  readonly scope: string;
  /** Of the request itself, hex. */
  readonly signature: string;
  readonly sign: (text: string) => string;
}

export interface Verified {
  /** What the signature says of the body: its SHA-256, or UNSIGNED-PAYLOAD, or a streaming mode. */
  readonly payload: string;
  readonly signing: Signing;
}

export interface Verifier {
  readonly credentials: Credentials;
  readonly region: string;
  readonly now: () => number;
}

/** How far clocks may differ, milliseconds. */
const MAX_SKEW = 15 * 60_000;
const WEEK = 604_800;
const ALGORITHM = "AWS4-HMAC-SHA256";

/** A signature taken apart. */
interface Claim {
  readonly credential: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly date: string;
  readonly expiresIn?: number;
}

/** @throws {S3Error} as S3 refuses */
export async function verify(
  target: Target,
  headers: IncomingHttpHeaders,
  verifier: Verifier,
): Promise<Verified> {
  const inQuery = "X-Amz-Signature" in target.query || "X-Amz-Algorithm" in target.query;
  if (inQuery && headers.authorization !== undefined) {
    throw new S3Error("InvalidArgument", "Only one auth mechanism allowed: header or query.");
  }
  if ("AWSAccessKeyId" in target.query || headers.authorization?.startsWith("AWS ")) {
    throw new S3Error(
      "InvalidRequest",
      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    );
  }
  if (!inQuery && headers.authorization === undefined) throw new S3Error("AccessDenied", "Access Denied");
  const claim = inQuery ? claimInQuery(target.query) : claimInHeader(headers);
  const signingDate = parseDate(claim.date);
  checkCredential(claim, verifier, inQuery);
  checkToken(inQuery ? target.query["X-Amz-Security-Token"] : headers["x-amz-security-token"], verifier);
  checkTime(claim, signingDate, verifier.now());
  checkSignedHeaders(claim, headers);

  const said = headers["x-amz-content-sha256"]?.toString();
  const payload = said ?? (inQuery ? "UNSIGNED-PAYLOAD" : "");
  if (payload === "") {
    throw new S3Error(
      "MissingSecurityHeader",
      "Your request is missing a required header: x-amz-content-sha256.",
    );
  }
  const expected = await signatureOf(target, headers, claim, signingDate, verifier);
  if (!equal(expected, claim.signature)) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  }
  const scope = claim.credential.split("/").slice(1).join("/");
  const sign = (text: string) => signString(text, scope, verifier.credentials.secretAccessKey);
  return { payload, signing: { date: claim.date, scope, signature: claim.signature, sign } };
}

/** The signature of a form's policy (or of anything else that is signed as one string). */
export function signString(text: string, scope: string, secretAccessKey: string): string {
  const key = scope
    .split("/")
    .reduce<Buffer>(
      (folded, part) => createHmac("sha256", folded).update(part).digest(),
      Buffer.from(`AWS4${secretAccessKey}`),
    );
  return createHmac("sha256", key).update(text).digest("hex");
}

export function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function claimInHeader(headers: IncomingHttpHeaders): Claim {
  const [, fields = ""] = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(headers.authorization ?? "") ?? [];
  const parts = Object.fromEntries(
    fields.split(/,\s*/).map((part) => [part.split("=", 1)[0], part.slice(part.indexOf("=") + 1)]),
  );
  const { Credential, SignedHeaders, Signature } = parts;
  if (!Credential || !SignedHeaders || !Signature) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      "The authorization header that you provided is not valid.",
    );
  }
  const date = headers["x-amz-date"];
  if (typeof date !== "string")
    throw new S3Error("AccessDenied", "AWS authentication requires a valid x-amz-date header.");
  return { credential: Credential, signedHeaders: SignedHeaders.split(";"), signature: Signature, date };
}

function claimInQuery(query: Target["query"]): Claim {
  const malformed = (message: string) => new S3Error("AuthorizationQueryParametersError", message);
  const get = (name: string): string => {
    const value = query[name];
    if (!value) throw malformed(`Query-string authentication version 4 requires ${name}.`);
    return value;
  };
  if (get("X-Amz-Algorithm") !== ALGORITHM) throw malformed(`X-Amz-Algorithm only supports "${ALGORITHM}".`);
  const expires = get("X-Amz-Expires");
  if (!/^\d+$/.test(expires)) throw malformed("X-Amz-Expires should be a number.");
  const expiresIn = Number(expires);
  if (expiresIn < 1) throw malformed("X-Amz-Expires must be positive.");
  if (expiresIn > WEEK) throw malformed("X-Amz-Expires must be less than a week (in seconds).");
  if ((query["X-Amz-Content-Sha256"] ?? "UNSIGNED-PAYLOAD") !== "UNSIGNED-PAYLOAD") {
    throw new S3Error("NotImplemented", "A presigned payload hash is not implemented.");
  }
  return {
    credential: get("X-Amz-Credential"),
    signedHeaders: get("X-Amz-SignedHeaders").split(";"),
    signature: get("X-Amz-Signature"),
    date: get("X-Amz-Date"),
    expiresIn,
  };
}

export function parseDate(date: string): Date {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const parsed = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(parsed.getTime()))
    throw new S3Error("AccessDenied", "The date must be as 20261123T150000Z.");
  return parsed;
}

function checkCredential(
  { credential, date }: Claim,
  { credentials, region }: Verifier,
  inQuery: boolean,
): void {
  const malformed = inQuery ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed";
  const [accessKeyId, day, scopeRegion, service, end] = credential.split("/");
  if (accessKeyId !== credentials.accessKeyId) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  }
  if (scopeRegion !== region) {
    throw new S3Error(malformed, `The region '${scopeRegion}' is wrong; expecting '${region}'`, {
      Region: region,
    });
  }
  if (service !== "s3" || end !== "aws4_request" || day !== date.slice(0, 8)) {
    throw new S3Error(malformed, "The credential's scope must be DATE/REGION/s3/aws4_request.");
  }
}

/** @throws {S3Error} InvalidToken unless the token is that of the credentials, and none where they have none */
export function checkToken(
  given: string | string[] | undefined,
  { credentials: { sessionToken } }: Pick<Verifier, "credentials">,
): void {
  if (given === undefined && sessionToken !== undefined) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records: it is one for a while, and the token is missing.",
    );
  }
  if (given !== undefined && (sessionToken === undefined || !equal(String(given), sessionToken)))
    throw new S3Error("InvalidToken", "The provided token is malformed or otherwise invalid.");
}

function checkTime({ expiresIn }: Claim, signingDate: Date, now: number): void {
  const age = now - signingDate.getTime();
  if (expiresIn === undefined) {
    if (Math.abs(age) <= MAX_SKEW) return;
    throw new S3Error(
      "RequestTimeTooSkewed",
      "The difference between the request time and the server's time is too large.",
    );
  }
  if (age < -MAX_SKEW) throw new S3Error("AccessDenied", "Request is not valid yet");
  if (age > expiresIn * 1000) throw new S3Error("AccessDenied", "Request has expired");
}

function checkSignedHeaders({ signedHeaders }: Claim, headers: IncomingHttpHeaders): void {
  if (!signedHeaders.includes("host")) throw new S3Error("AccessDenied", "The host header must be signed.");
  const unsigned = Object.keys(headers).filter(
    (name) => name.startsWith("x-amz-") && !signedHeaders.includes(name),
  );
  if (unsigned.length > 0) {
    throw new S3Error("AccessDenied", "There were headers present in the request which were not signed", {
      HeadersNotSigned: unsigned.join(", "),
    });
  }
}

async function signatureOf(
  { method, host, path, query }: Target,
  headers: IncomingHttpHeaders,
  { signedHeaders, expiresIn }: Claim,
  signingDate: Date,
  { credentials: { accessKeyId, secretAccessKey }, region }: Verifier,
): Promise<string> {
  const names = new Set(signedHeaders);
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey },
    region,
    service: "s3",
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const request = {
    method,
    protocol: "http:",
    hostname: host,
    path: encodeKey(path),
    query: Object.fromEntries(Object.entries(query).filter(([name]) => !SIGNERS_OWN.has(name))),
    // A signed header that did not come counts as empty: then the signature does not match.
    headers: Object.fromEntries(signedHeaders.map((name) => [name, utf8(String(headers[name] ?? ""))])),
    // Neither text nor bytes: the signer takes it for an unsigned payload.
    body: {},
  };
  const options = { signingDate, signableHeaders: names, unhoistableHeaders: names };
  if (expiresIn !== undefined) {
    const signed = await signer.presign(request, { ...options, expiresIn });
    return String(signed.query?.["X-Amz-Signature"]);
  }
  const signed = await signer.sign(request, options);
  return String(signed.headers.authorization).split("Signature=")[1] ?? "";
}

/** A header's value as it was signed: Node reads every byte as a character. */
function utf8(value: string): string {
  return Buffer.from(value, "latin1").toString("utf8");
}

/** Query parameters that the signer adds by itself. */
const SIGNERS_OWN = new Set([
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-SignedHeaders",
  "X-Amz-Signature",
]);

class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined
        ? createHash("sha256")
        : createHmac("sha256", typeof secret === "string" ? secret : toBytes(secret));
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

function toBytes(secret: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret);
}
