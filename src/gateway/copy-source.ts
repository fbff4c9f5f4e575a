/** What is copied: as it lies in its store now, under its key, and held against the request's conditions. */

import { evaluate, parsePreconditions, preconditionFailed } from "../edge/conditions.ts";
import { download } from "../edge/download.ts";
import { checkVersion } from "../edge/echoes.ts";
import { METADATA, uploadedFields } from "../edge/headers.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import type { Addressed, Operating, Source } from "../objects/operate.ts";
import { Refused } from "../refused.ts";
import type { FieldValues, CopySource as SourceName } from "../s3/api/fields.ts";
import { MARKER_HEADER } from "../s3/api/upload-id.ts";
import { type Credentials, credentialsOf } from "../s3/store/credentials.ts";
import { confirmUnderKey, headObject, isUnderKey } from "../s3/store/stored.ts";
import { TAG_COUNT_HEADER } from "../s3/store/tagging.ts";
import { fromWire } from "../s3/store/wire.ts";
import { type Call, keyOf } from "./call.ts";
import { S3Fault } from "./faults.ts";

const HEADER = "x-amz-copy-source";

/**
 * `/bucket/key?versionId=…`, percent-encoded.
 *
 * @throws {S3Fault} InvalidArgument
 */
export function sourceIn(headers: Headers): SourceName {
  const [, path = "", versionId] = /^(.*?)(?:\?versionId=([^?&]+))?$/s.exec(headers.get(HEADER) ?? "") ?? [];
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(decoded(path)) ?? [];
  if (bucket === undefined || key === undefined || path.includes("?"))
    throw new S3Fault(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  return { bucket, key: keyOf(key), versionId: versionId === undefined ? undefined : decoded(versionId) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Fault("InvalidArgument", "The copy source is not percent-encoded UTF-8.");
  }
}

/** Undefined where the store does not copy such an object: a copy that it only refuses once is no such thing. */
export async function copiedBy<T>(copy: () => Promise<T>): Promise<T | undefined> {
  try {
    return await copy();
  } catch (error) {
    // NotImplemented; or InvalidRequest and InvalidArgument, where it takes no two keys or copies nothing onto itself.
    if (error instanceof Refused && error.reason === "invalid-request") return undefined;
    throw error;
  }
}

export class CopySource {
  readonly object: Source;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly #head: Headers;

  private constructor(
    object: Source,
    customerKey: CustomerKey,
    credentials: Credentials,
    { stored, headers }: NonNullable<Awaited<ReturnType<typeof headObject>>>,
  ) {
    this.object = object;
    this.customerKey = customerKey;
    this.credentials = credentials;
    this.size = stored.size;
    this.etag = stored.etag;
    this.#head = headers;
  }

  /** @throws {Refused} precondition-failed; invalid-request for a delete marker; not-found, key-unknown, not-encrypted; store-error, store-timeout */
  static async of(
    call: Call,
    { source, underSource }: Pick<Operating<Addressed>, "source" | "underSource">,
  ): Promise<CopySource> {
    if (source === undefined) throw new Error("a copy has a source");
    const credentials = await credentialsOf(source.bucket.store, call.service.secrets);
    return underSource(source, async (customerKey) => {
      const found = await headObject(source, customerKey, credentials).catch(noMarker);
      if (found === undefined || !isUnderKey(found.headers, customerKey)) {
        await confirmUnderKey(source, customerKey, credentials);
        throw new Refused("conflict", "The source was replaced meanwhile: copy it again.");
      }
      checkVersion(source.versionId, found.headers);
      checkConditions(call.headers, found.headers);
      return new CopySource(source, customerKey, credentials, found);
    });
  }

  get contentType(): string | undefined {
    return this.#head.get("content-type") ?? undefined;
  }

  get tagCount(): number {
    return Number(this.#head.get(TAG_COUNT_HEADER) ?? 0);
  }

  /**
   * What a copy takes along: content headers and metadata, as fields of an upload.
   *
   * @throws {S3Fault} InvalidRequest for what does not pass through headers, and would be lost
   */
  content(): FieldValues {
    const missing = this.#head.get("x-amz-missing-meta") ?? "0";
    if (missing !== "0" || [...this.#head].some(([, value]) => value.includes("\ufffd")))
      throw new S3Fault(
        "InvalidRequest",
        "Metadata of the source does not pass through headers: replace it.",
      );
    const kept = [...this.#head].filter(
      ([name]) => name !== MARKER_HEADER && (CONTENT.includes(name) || name.startsWith(METADATA)),
    );
    return uploadedFields(
      new Headers(kept.map(([name, value]) => [name, fromWire(value)] as [string, string])),
    ) as FieldValues;
  }

  versionHeader(): Record<string, string> {
    const versionId = this.#head.get("x-amz-version-id");
    return versionId === null ? {} : { "x-amz-copy-source-version-id": versionId };
  }

  /**
   * Its bytes, or a range of them; of the very object that was looked at.
   *
   * @param range as `bytes=0-9`
   * @throws {Refused} precondition-failed where it has changed since; store-error, store-timeout
   */
  async open(range: string | undefined): Promise<ReadableStream<Uint8Array> | null> {
    const { bucket, key, versionId } = this.object;
    const { body } = await download({
      ...{ method: "GET", bucket, key, versionId, range },
      partNumber: undefined,
      query: {},
      headers: {},
      ifRange: undefined,
      conditions: parsePreconditions({ ifMatch: this.etag }),
      customerKey: this.customerKey,
      credentials: this.credentials,
    });
    return body;
  }
}

/** It is the source that is no object, and not the method that is not allowed. */
function noMarker(error: unknown): never {
  if (!(error instanceof Refused) || error.storeCode !== "MethodNotAllowed") throw error;
  throw new S3Fault(
    "InvalidRequest",
    "The source of a copy request may not specifically refer to a delete marker by version id.",
  );
}

const CONTENT = [
  ...["content-type", "cache-control", "content-disposition", "content-encoding", "content-language"],
  "expires",
];

/** S3 has each of them fail where another would say that nothing has changed. */
function checkConditions(headers: Headers, head: Headers): void {
  const given = (name: string) => headers.get(`${HEADER}-${name}`) ?? undefined;
  const conditions = parsePreconditions(
    {
      ifMatch: given("if-match"),
      ifNoneMatch: given("if-none-match"),
      ifUnmodifiedSince: given("if-unmodified-since"),
      ifModifiedSince: given("if-modified-since"),
    },
    { ifMatch: `${HEADER}-if-match`, ifNoneMatch: `${HEADER}-if-none-match` },
  );
  const state = {
    etag: head.get("etag") ?? undefined,
    lastModified: head.get("last-modified") ?? undefined,
  };
  if (evaluate(conditions, state, "GET") !== "proceed") throw preconditionFailed();
}
