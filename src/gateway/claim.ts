/** What a request says of its own signature, in its Authorization header or in its query. Nothing of it is believed yet. */
import { MAX_EXPIRES_IN } from "../s3/api/limits.ts";
import { ALGORITHM, UNSIGNED_PAYLOAD } from "../s3/sign/sigv4.ts";
import type { Arrived, Parameter } from "./arrived.ts";
import { S3Fault } from "./faults.ts";

export interface Claim {
  readonly accessKeyId: string;
  /** `20130524` */
  readonly day: string;
  readonly region: string;
  /** `20130524T000000Z` */
  readonly timestamp: string;
  /** In lower case, sorted, each once. */
  readonly signedHeaders: readonly string[];
  /** Hexadecimal. */
  readonly signature: string;
  readonly sessionToken: string | undefined;
  /** Of a presigned URL, seconds. */
  readonly expiresIn: number | undefined;
  /** What the signature says of the body: its SHA-256, UNSIGNED-PAYLOAD, or how it is streamed. */
  readonly payload: string;
  /** Parameters that are not the signature's own, in their order. */
  readonly others: readonly Parameter[];
}

/** Much more than any client signs, so that nobody is kept busy with names. */
const MAX_SIGNED_HEADERS = 200;

const OWN = [
  "X-Amz-Algorithm",
  "X-Amz-Content-Sha256",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-Security-Token",
  "X-Amz-Signature",
  "X-Amz-SignedHeaders",
] as const;
type Own = (typeof OWN)[number];

const isOwn = (name: string): name is Own => (OWN as readonly string[]).includes(name);

/** @throws {S3Fault} when there is no signature, or it is not of a kind and form that are taken */
export function claimOf(arrived: Arrived): Claim {
  const { parameters } = arrived;
  const authorization = arrived.header("authorization");
  const has = (...names: string[]) => parameters.some(([name]) => names.includes(name));
  const isInQuery = has("X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential");
  if (isInQuery && authorization !== null)
    throw new S3Fault("InvalidArgument", "Only one way to sign is allowed: the header or the query.");
  if (has("AWSAccessKeyId") || authorization?.startsWith("AWS "))
    throw new S3Fault(
      "InvalidRequest",
      `Signature version 2 is not supported: please use ${ALGORITHM} (signature version 4).`,
    );
  if (isInQuery) return inQuery(arrived);
  if (authorization !== null) return inHeader(arrived, authorization);
  if (isForm(arrived))
    throw new S3Fault(
      "NotImplemented",
      "Forms (PostObject) are not implemented here: POST /v1/presign makes one for the store itself.",
    );
  throw new S3Fault("AccessDenied", "Access Denied: the request is not signed.");
}

/** A browser's upload, which is signed by a policy among its fields. */
function isForm({ method, header }: Arrived): boolean {
  return method === "POST" && /^multipart\/form-data\b/i.test(header("content-type") ?? "");
}

function inHeader(arrived: Arrived, authorization: string): Claim {
  const malformed = (message: string) => new S3Fault("AuthorizationHeaderMalformed", message);
  const [algorithm = ""] = authorization.split(/[ ,]/, 1);
  if (algorithm !== ALGORITHM)
    throw new S3Fault("InvalidRequest", `This way to sign is not supported: please use ${ALGORITHM}.`);
  const fields = new Map<string, string>();
  for (const field of authorization.slice(algorithm.length).split(",")) {
    const [, name, value] = /^\s*(\w+)=(.*?)\s*$/.exec(field) ?? [];
    if (name === undefined || value === undefined || fields.has(name))
      throw malformed("The authorization header that you provided is not valid.");
    fields.set(name, value);
  }
  const [credential, signedHeaders, signature] = ["Credential", "SignedHeaders", "Signature"].map((name) =>
    fields.get(name),
  );
  if (!credential || !signedHeaders || !signature || fields.size !== 3)
    throw malformed("The authorization header must have Credential, SignedHeaders and Signature.");
  const timestamp = arrived.header("x-amz-date");
  if (timestamp === null)
    throw new S3Fault("AccessDenied", "AWS authentication requires a valid x-amz-date header.");
  const payload = arrived.header("x-amz-content-sha256");
  if (payload === null)
    throw new S3Fault("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  const own = arrived.parameters.find(([name]) => isOwn(name));
  if (own !== undefined)
    throw new S3Fault("InvalidArgument", `${own[0]} is of a signature in the query, and there is none.`);
  return {
    ...scopeOf(credential, timestamp, malformed),
    timestamp,
    signedHeaders: namesOf(signedHeaders, malformed),
    signature: hexOf(signature, malformed),
    sessionToken: arrived.header("x-amz-security-token") ?? undefined,
    expiresIn: undefined,
    payload,
    others: arrived.parameters,
  };
}

function inQuery(arrived: Arrived): Claim {
  const malformed = (message: string) => new S3Fault("AuthorizationQueryParametersError", message);
  const own = new Map<string, string>();
  const others: Parameter[] = [];
  for (const parameter of arrived.parameters) {
    const [name, value] = parameter;
    if (!isOwn(name)) others.push(parameter);
    else if (own.has(name)) throw malformed(`${name} is given twice.`);
    else own.set(name, value);
  }
  const get = (name: Own): string => {
    const value = own.get(name);
    if (value) return value;
    throw malformed(`Query-string authentication version 4 requires ${name}.`);
  };
  if (get("X-Amz-Algorithm") !== ALGORITHM) throw malformed(`X-Amz-Algorithm only supports "${ALGORITHM}".`);
  const timestamp = get("X-Amz-Date");
  const inHeader = arrived.header("x-amz-content-sha256");
  const payload = own.get("X-Amz-Content-Sha256") ?? inHeader ?? UNSIGNED_PAYLOAD;
  if (inHeader !== null && inHeader !== payload)
    throw malformed("X-Amz-Content-Sha256 is not what the header x-amz-content-sha256 says.");
  if (arrived.header("x-amz-security-token") !== null)
    throw malformed("The session token of a presigned URL belongs into X-Amz-Security-Token.");
  return {
    ...scopeOf(get("X-Amz-Credential"), timestamp, malformed),
    timestamp,
    signedHeaders: namesOf(get("X-Amz-SignedHeaders"), malformed),
    signature: hexOf(get("X-Amz-Signature"), malformed),
    sessionToken: own.get("X-Amz-Security-Token"),
    expiresIn: secondsOf(get("X-Amz-Expires"), malformed),
    payload,
    others,
  };
}

type Malformed = (message: string) => S3Fault;

/** An access key id may hold slashes: the scope is what the last ones set apart. */
function scopeOf(
  credential: string,
  timestamp: string,
  malformed: Malformed,
): Pick<Claim, "accessKeyId" | "day" | "region"> {
  const [, accessKeyId, day, region, service] =
    /^(.+)\/(\d{8})\/([\w-]{1,64})\/(\w+)\/aws4_request$/s.exec(credential) ?? [];
  if (accessKeyId === undefined || day === undefined || region === undefined)
    throw malformed("The credential must be ACCESS-KEY-ID/YYYYMMDD/REGION/s3/aws4_request.");
  if (service !== "s3") throw malformed("The credential's scope must be of the service s3.");
  if (!timestamp.startsWith(`${day}T`))
    throw malformed("The date in the credential's scope is not that of the signature.");
  return { accessKeyId, day, region };
}

function namesOf(text: string, malformed: Malformed): string[] {
  const names = text.split(";");
  const areRight = names.every(
    (name, i) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && (i === 0 || (names[i - 1] as string) < name),
  );
  if (areRight && names.length <= MAX_SIGNED_HEADERS) return names;
  throw malformed("The names of the signed headers must be in lower case, sorted, each once.");
}

function hexOf(signature: string, malformed: Malformed): string {
  if (/^[0-9a-f]{64}$/.test(signature)) return signature;
  throw malformed("The signature must be 64 hexadecimal digits.");
}

function secondsOf(text: string, malformed: Malformed): number {
  if (!/^\d{1,10}$/.test(text)) throw malformed("X-Amz-Expires should be a number.");
  const seconds = Number(text);
  if (seconds < 1) throw malformed("X-Amz-Expires must be at least 1 second.");
  if (seconds > MAX_EXPIRES_IN) throw malformed("X-Amz-Expires must be at most a week (604800 seconds).");
  return seconds;
}
