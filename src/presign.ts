/**
 * `ssec-edge/presign`: presigned SSE-C requests and customer keys, without a service. Pure: nothing is sent, read or kept,
 * and what runs here are the language and what browsers, Node and workerd have alike.
 *
 * @example
 * import { customerKey, presign } from "ssec-edge/presign";
 *
 * const { method, url, headers } = presign(
 *   { operation: "PutObject", bucket: "acme-media", key: "users/42/cat.jpg", contentType: "image/jpeg" },
 *   {
 *     store: {
 *       endpoint: "https://cwobject.com",
 *       region: "US-EAST-04A",
 *       accessKeyId: process.env.CW_ACCESS_KEY_ID,
 *       secretAccessKey: process.env.CW_SECRET_ACCESS_KEY,
 *     },
 *     customerKey: customerKey(process.env.SSEC_K1),
 *   },
 * );
 * await fetch(url, { method, headers, body });
 */
import { type Addressing, bucketNameFault, storeWithCredentials } from "./config/schema.ts";
import {
  CustomerKeyError,
  customerKey as customerKeyOf,
  decodeCustomerKey,
  KEY_BYTES,
} from "./keys/customer-key.ts";
import { deriveObjectKey as derive } from "./keys/derive.ts";
import { customerKeyHeaders as headersOf } from "./keys/headers.ts";
import type { FieldError } from "./refused.ts";
import type { Sent } from "./s3/api/fields.ts";
import { keyedHeaders } from "./s3/api/keyed.ts";
import { mediaTypeFault } from "./s3/api/media-type.ts";
import {
  type InputsOf,
  OPERATION_NAMES,
  OPERATIONS,
  type OperationName,
  type PresignRequest as Request,
  requestSchemaOf,
  sentBy,
} from "./s3/api/operations.ts";
import type { SignedBucket } from "./s3/sign/address.ts";
import { presignForm as signForm } from "./s3/sign/post-policy.ts";
import { expiryOf, type SigningOptions, presign as sign } from "./s3/sign/presign.ts";
import type { Credentials } from "./s3/sign/sigv4.ts";
import { check } from "./validation.ts";

export { CustomerKeyError, type FieldError, OPERATIONS, type OperationName };

/** Seconds that a URL lives unless its request says otherwise: as the service's DEFAULT_EXPIRES_IN. */
const EXPIRES_IN = 900;
/** The same for one that is of use without any header. */
const BARE_EXPIRES_IN = 60;

/** Where the objects are, and the credentials that sign. */
export interface Store {
  /** `https://cwobject.com`; plain http only to this machine itself, or with `insecure`. */
  readonly endpoint: string;
  /** As the store spells it. */
  readonly region: string;
  /** "virtual" (`https://BUCKET.HOST/KEY`) unless given. */
  readonly addressing?: Addressing | undefined;
  /** Whether customer keys may go over plain http. */
  readonly insecure?: boolean | undefined;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A customer key as stores know it. Whoever has it opens what lies under it: it is not for logs. */
export interface CustomerKey {
  /** The 32 bytes, as the header has them. */
  readonly base64: string;
  /** base64 of their MD5. */
  readonly md5: string;
}

export interface PresignOptions {
  readonly store: Store;
  /** Required wherever the operation takes one, so that nothing is stored in plain by mistake. */
  readonly customerKey?: CustomerKey | undefined;
  /** The key that the source of a copy lies under; left out where the source is not encrypted. */
  readonly sourceKey?: CustomerKey | undefined;
  /** Now, unless given. */
  readonly signingDate?: Date | undefined;
}

interface Common {
  /** Its name in the store. */
  readonly bucket: string;
  /** Seconds, 1 to 604800: 900 unless given, and 60 where no customer key goes with the request. */
  readonly expiresIn?: number | undefined;
}

/** The source of a copy. */
export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}

type Inputs<Name extends OperationName> = "source" extends keyof InputsOf<Name>
  ? Omit<InputsOf<Name>, "source"> & { readonly source: CopySource }
  : InputsOf<Name>;

/** One operation and its fields: those of `POST /v1/presign` (docs/api.md). */
export type PresignRequest = {
  [Name in Exclude<OperationName, "PostObject">]: Common & {
    readonly operation: Name;
    readonly key: string;
  } & Inputs<Name>;
}[Exclude<OperationName, "PostObject">];

/** A browser form for one object, or for any whose key begins so. */
export type FormRequest = Common &
  Inputs<"PostObject"> &
  (
    | { readonly key: string; readonly keyPrefix?: undefined }
    | { readonly keyPrefix: string; readonly key?: undefined }
  );

/** A request for whoever has it to send, exactly so. */
export interface Presigned {
  readonly method: string;
  readonly url: string;
  /** All that must be sent, beside what every HTTP client sets itself (`host`, `content-length`). */
  readonly headers: Readonly<Record<string, string>>;
  /** To be sent as it stands, where the request makes it up. */
  readonly body?: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** A form for a browser to send as multipart/form-data. */
export interface PresignedForm {
  readonly method: "POST";
  readonly url: string;
  /** In this order; the file goes after the last, as the field `file`. */
  readonly fields: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** Everything that is wrong with a request or its options. No message holds what was given. */
export class PresignError extends Error {
  override name = "PresignError";
  readonly errors: readonly FieldError[];

  constructor(errors: readonly FieldError[]) {
    super(errors.map(({ path, message }) => `${path}: ${message}`).join("; "));
    this.errors = errors;
  }
}

/**
 * A URL for one request to the store, and the headers to send with it. Every header is signed, and no customer key is in the
 * URL.
 *
 * @throws {PresignError} with everything that is wrong
 * @example
 * const { method, url, headers } = presign(
 *   { operation: "GetObject", bucket: "acme-media", key: "users/42/cat.jpg", expiresIn: 60 },
 *   { store, customerKey: customerKey(secret) },
 * );
 * const response = await fetch(url, { method, headers });
 */
export function presign(request: PresignRequest, options: PresignOptions): Presigned {
  const { operation } = request;
  if (!OPERATION_NAMES.includes(operation) || OPERATIONS[operation].sized === "form") {
    const names = OPERATION_NAMES.filter((name) => OPERATIONS[name].sized !== "form").join(", ");
    throw new PresignError([
      { path: "operation", message: `must be one of ${names}; forms are presignForm's` },
    ]);
  }
  const { values, bucket, sent, signing } = prepare(operation, request, options);
  const { method, query } = OPERATIONS[operation];
  const signed = sign(
    { method, bucket, key: values.key, headers: sent.headers, query: { ...sent.query, ...query } },
    signing,
  );
  return {
    ...signed,
    ...(sent.body !== undefined && { body: sent.body }),
    expiresAt: expiryOf(signing),
  };
}

/**
 * A browser form that uploads one file, held to its fields by a signed policy. The customer key is among the fields: whoever
 * gets the form can read it, and a derived key, which opens one object, is right for that.
 *
 * @throws {PresignError} with everything that is wrong
 * @example
 * const { url, fields } = presignForm(
 *   { bucket: "acme-media", key: "users/42/cat.jpg", contentType: "image/jpeg", maxBytes: 5_000_000 },
 *   { store, customerKey: customerKey(secret) },
 * );
 * const form = new FormData();
 * for (const [name, value] of Object.entries(fields)) form.append(name, value);
 * form.append("file", file);
 * await fetch(url, { method: "POST", body: form });
 */
export function presignForm(request: FormRequest, options: PresignOptions): PresignedForm {
  const { values, bucket, sent, signing } = prepare(
    "PostObject",
    { ...request, operation: "PostObject" },
    options,
  );
  const { key, keyPrefix, contentTypePrefix, minBytes, maxBytes } = values;
  const name = keyPrefix === undefined ? { exactly: key } : { startsWith: keyPrefix };
  const form = { bucket, key: name, fields: sent.headers, contentTypePrefix, minBytes, maxBytes };
  return { ...signForm(form, signing), expiresAt: expiryOf(signing) };
}

/**
 * The customer key of 32 bytes, hashed once for all requests that it goes with.
 *
 * @param secret the bytes, or their canonical base64: nothing is mended, for a key that is wrong locks objects for good
 * @throws {CustomerKeyError} saying what is wrong, and never with any of the key
 * @example
 * const key = customerKey(process.env.SSEC_K1);
 */
export function customerKey(secret: string | Uint8Array): CustomerKey {
  const { base64, md5 } = customerKeyOf("", rawOf(secret));
  return { base64, md5 };
}

/**
 * The key of one object, derived from a root, as buckets with `derive = true` have it: HKDF-SHA256 with an empty salt and
 * `ssec-edge/v1\n` + bucket + `\n` + object key. Whoever is handed it can open that object alone.
 *
 * @param root 32 bytes, or their canonical base64
 * @param bucket its name in the store
 * @returns 32 bytes, for `customerKey`
 * @throws {CustomerKeyError} when the root is no key
 * @throws {PresignError} when a name is no Unicode, or there is none
 * @example
 * const key = customerKey(deriveObjectKey(process.env.SSEC_ROOT, "acme-media", "users/42/cat.jpg"));
 */
export function deriveObjectKey(root: string | Uint8Array, bucket: string, key: string): Uint8Array {
  const errors = Object.entries({ bucket, key })
    .filter(([, name]) => typeof name !== "string" || name === "" || !name.isWellFormed())
    .map(([path]) => ({ path, message: "must be a text of well-formed Unicode that is not empty" }));
  if (errors.length > 0) throw new PresignError(errors);
  // A copy: what follows from a root is remembered by the array itself, which the caller may change.
  return derive(Uint8Array.from(rawOf(root)), bucket, key);
}

/**
 * The three headers by which a store encrypts and decrypts an object under a key, for requests that are signed elsewhere.
 *
 * @example
 * await fetch(url, { headers: customerKeyHeaders(customerKey(secret)) });
 */
export function customerKeyHeaders(key: CustomerKey): Record<string, string> {
  return headersOf(key);
}

function rawOf(secret: string | Uint8Array): Uint8Array {
  if (typeof secret === "string") return decodeCustomerKey(secret);
  if (!(secret instanceof Uint8Array)) throw new CustomerKeyError("must be base64, or a Uint8Array");
  if (secret.length !== KEY_BYTES)
    throw new CustomerKeyError(`is ${secret.length} bytes long: it must be ${KEY_BYTES}`);
  return secret;
}

interface Prepared {
  readonly values: Request;
  readonly bucket: SignedBucket;
  readonly sent: Pick<Sent, "query" | "body"> & { readonly headers: Readonly<Record<string, string>> };
  readonly signing: SigningOptions;
}

/** @throws {PresignError} */
function prepare(
  operation: OperationName,
  request: object,
  { store: given, customerKey, sourceKey, signingDate = new Date() }: PresignOptions,
): Prepared {
  const needsKey = OPERATIONS[operation].customerKey !== "none";
  const store = storeOf(given);
  const checked = check(requestSchemaOf(operation), request);
  const errors = [
    ...store.errors,
    ...(checked.ok ? faultsIn(checked.value, store.addressing) : checked.errors),
    ...keyFault("customerKey", customerKey, needsKey),
    ...keyFault("sourceKey", sourceKey, false),
    ...(Number.isNaN(signingDate.getTime()) ? [{ path: "signingDate", message: "must be a date" }] : []),
  ];
  if (errors.length > 0 || !checked.ok || !store.ok) throw new PresignError(errors);

  const values = checked.value;
  const sent = sentBy(operation, values);
  const { source } = values;
  const headers = keyedHeaders(sent.headers, {
    key: needsKey ? customerKey : undefined,
    source: source && { ...source, storeBucket: source.bucket },
    sourceKey,
  });
  return {
    values,
    bucket: { storeBucket: values.bucket, store: store.store },
    sent: { ...sent, headers },
    signing: {
      credentials: store.credentials,
      signingDate,
      expiresIn: values.expiresIn ?? (needsKey ? EXPIRES_IN : BARE_EXPIRES_IN),
    },
  };
}

/** What the schemas, which are the service's, leave to others. */
function faultsIn(values: Request, addressing: Addressing): FieldError[] {
  const { operation, bucket, source, contentType, keyId, snippet, via } = values;
  const faults = {
    bucket: bucketNameFault(bucket, addressing),
    "source.bucket": source && bucketNameFault(source.bucket, addressing),
    contentType: contentType === undefined ? undefined : mediaTypeFault(contentType),
    keyId: keyId && "is not a field here: customerKey says which key",
    "source.keyId": source?.keyId && "is not a field here: sourceKey says which key",
    snippet: snippet && "is not a field here",
    via: via && "is not a field here: only a Worker answers for its own links",
  };
  const whole = OPERATIONS[operation].fault?.(values);
  return [
    ...Object.entries(faults).flatMap(([path, message]) => (message ? [{ path, message }] : [])),
    ...(whole ? [whole] : []),
  ];
}

function keyFault(path: string, key: CustomerKey | undefined, isRequired: boolean): FieldError[] {
  if (key === undefined) return isRequired ? [{ path, message: "is required" }] : [];
  const isKey = typeof key?.base64 === "string" && typeof key.md5 === "string";
  return isKey ? [] : [{ path, message: "must be what customerKey() makes of a key" }];
}

type CheckedStore =
  | {
      ok: true;
      errors: FieldError[];
      addressing: Addressing;
      store: SignedBucket["store"];
      credentials: Credentials;
    }
  | { ok: false; errors: FieldError[]; addressing: Addressing };

const known = new WeakMap<Store, { readonly fields: string; readonly checked: CheckedStore }>();

/** What is prepared for signing is remembered by it, as long as the store says the same. */
function storeOf(given: Store): CheckedStore {
  if (typeof given !== "object" || given === null) return checkStore(given);
  const { endpoint, region, addressing, insecure, accessKeyId, secretAccessKey, sessionToken } = given;
  const fields = JSON.stringify([
    ...[endpoint, region, addressing, insecure],
    ...[accessKeyId, secretAccessKey, sessionToken],
  ]);
  const before = known.get(given);
  if (before?.fields === fields) return before.checked;
  const checked = checkStore(given);
  known.set(given, { fields, checked });
  return checked;
}

function checkStore(given: unknown): CheckedStore {
  const checked = check(storeWithCredentials, given);
  if (!checked.ok) {
    const errors = checked.errors.map(({ path, message }) => ({
      path: path === "" ? "store" : `store.${path}`,
      message,
    }));
    // Which names its buckets may have is then not known.
    return { ok: false, errors, addressing: "path" };
  }
  const { accessKeyId, secretAccessKey, sessionToken, ...place } = checked.value;
  return {
    ok: true,
    errors: [],
    addressing: place.addressing,
    store: place,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
  };
}
