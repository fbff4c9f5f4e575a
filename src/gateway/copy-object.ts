/**
 * CopyObject. One store copies by itself, given both keys; where it cannot, and between stores, the object comes here and
 * goes again as it comes.
 */
import { limit } from "../auth/grants.ts";
import { preconditionsOf, type Seen } from "../edge/conditions.ts";
import { Digests } from "../edge/digests.ts";
import { confirmKept } from "../edge/kept.ts";
import { removeObject } from "../edge/upload.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { copySourceKeyHeaders, customerKeyHeaders } from "../keys/headers.ts";
import type { Addressed, Operating } from "../objects/operate.ts";
import { putObject } from "../objects/put-object.ts";
import { seenNow } from "../objects/seen-now.ts";
import { copySourceHeader, type FieldValues, send } from "../s3/api/fields.ts";
import { MAX_PUT_BYTES } from "../s3/api/limits.ts";
import { S3Bucket } from "../s3/store/client.ts";
import type { Credentials } from "../s3/store/credentials.ts";
import { didNotEncrypt } from "../s3/store/fetch.ts";
import { isUnderKey } from "../s3/store/stored.ts";
import { readTags } from "../s3/store/tagging.ts";
import { textOf } from "../s3/store/xml.ts";
import type { Call } from "./call.ts";
import { CopySource, copiedBy, sourceIn } from "./copy-source.ts";
import { marked } from "./etags.ts";
import { S3Fault } from "./faults.ts";
import { fieldsOf } from "./fields.ts";
import { checkTogether, versionHeader } from "./write-object.ts";

/** What the store may take for one copy of 5 GiB, milliseconds. */
const TIME_LIMIT = 300_000;

export function copyObject(call: Call): Promise<Response> {
  const { headers, query, service } = call;
  return call.onObject(
    "write",
    async (copying) => {
      const asked = askedBy(fieldsOf("CopyObject", headers, query));
      const source = await CopySource.of(call, copying);
      const { size } = source;
      copying.draft.bytes = size;
      if (size > MAX_PUT_BYTES)
        throw new S3Fault(
          "InvalidRequest",
          `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`,
        );
      checkItself(call, source, asked);
      const contentType = asked.replacesMetadata ? asked.fields.contentType : source.contentType;
      limit(
        { operation: "CopyObject", contentLength: size, contentType },
        copying.grants,
        service.config.defaultExpiresIn,
        "x-amz-copy-source",
        "content-type",
      );
      const copied =
        (await byStore(call, copying, source, asked)) ?? (await byStream(call, copying, source, asked));
      return call.xml(
        "CopyObjectResult",
        { LastModified: copied.lastModified, ETag: marked(copied.etag) },
        { ...versionHeader(copied.versionId), ...source.versionHeader() },
      );
    },
    () => ({ source: sourceIn(headers) }),
  );
}

interface Asked {
  /** Of the copy: beside what it keeps of its source, or in place of it. */
  readonly fields: FieldValues;
  /** Which checksum the store is to make of the copy. */
  readonly checksumAlgorithm: FieldValues["checksumAlgorithm"] | undefined;
  readonly replacesMetadata: boolean;
  readonly replacesTags: boolean;
}

/** S3 passes over what is given beside a directive that keeps the source's. */
function askedBy({ metadataDirective, taggingDirective, checksumAlgorithm, ...given }: FieldValues): Asked {
  const replacesMetadata = metadataDirective === "REPLACE";
  const replacesTags = taggingDirective === "REPLACE";
  const { contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage, ...others } =
    given;
  const { expires, metadata, tagging, ...placement } = others;
  const content = { contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage };
  const fields = {
    ...placement,
    ...(replacesMetadata && { ...content, expires, metadata }),
    ...(replacesTags && { tagging }),
  } as FieldValues;
  checkTogether("PutObject", fields);
  return { fields, checksumAlgorithm, replacesMetadata, replacesTags };
}

/** S3 copies nothing onto itself that would be the same. */
function checkItself(
  call: Call,
  source: CopySource,
  { fields, replacesMetadata, replacesTags }: Asked,
): void {
  const { bucket, key, versionId } = source.object;
  const isItself = bucket.name === call.bucket && key === call.key && versionId === undefined;
  if (!isItself || replacesMetadata || replacesTags || Object.keys(fields).length > 0) return;
  throw new S3Fault(
    "InvalidRequest",
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

interface Copied {
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified: string;
  readonly versionId: string | undefined;
}

/** Undefined where the store does not copy such an object. */
async function byStore(
  { service, key, headers: given }: Call,
  copying: Operating<Addressed>,
  source: CopySource,
  { fields, checksumAlgorithm, replacesMetadata, replacesTags }: Asked,
): Promise<Copied | undefined> {
  const { bucket, draft } = copying;
  if (source.object.bucket.store !== bucket.store) return undefined;
  const credentials = await copying.credentials();
  const customerKey = await copying.key("new", {});
  const seen = await seenNow(service, preconditionsOf(given), { bucket, key, credentials });
  const store = new S3Bucket(bucket, credentials);
  const request = {
    name: "CopyObject",
    method: "PUT",
    key,
    query: { "x-id": "CopyObject" },
    headers: {
      ...send({ ...fields, ...seen, ...(checksumAlgorithm && { checksumAlgorithm }) }).headers,
      ...(replacesMetadata && { "x-amz-metadata-directive": "REPLACE" }),
      ...(replacesTags && { "x-amz-tagging-directive": "REPLACE" }),
      "x-amz-copy-source": copySourceHeader(source.object.bucket.storeBucket, source.object),
      "x-amz-copy-source-if-match": source.etag,
      ...copySourceKeyHeaders(source.customerKey),
      ...customerKeyHeaders(customerKey),
    },
    timeLimit: TIME_LIMIT,
  };
  const answer = await copiedBy(() => store.run(request, "CopyObjectResult"));
  if (answer === undefined) return undefined;
  const versionId = answer.headers.get("x-amz-version-id") ?? undefined;
  if (!isUnderKey(answer.headers, customerKey)) {
    await removeObject({ bucket, key, versionId, credentials });
    throw didNotEncrypt();
  }
  const etag = textOf(answer.element, "ETag") ?? "";
  draft.versionId = versionId;
  await keep({ store, key, fields, seen, customerKey, credentials }, { etag, versionId }, service.limits);
  return {
    etag,
    versionId,
    lastModified: textOf(answer.element, "LastModified") ?? new Date().toISOString(),
  };
}

interface Kept {
  readonly store: S3Bucket;
  readonly key: string;
  readonly fields: FieldValues;
  readonly seen: Seen;
  readonly customerKey: CustomerKey;
  readonly credentials: Credentials;
}

async function keep(
  { store: { bucket }, ...kept }: Kept,
  { etag, versionId }: { etag: string; versionId: string | undefined },
  limits: Call["service"]["limits"],
): Promise<void> {
  const upload = { ...kept, bucket, limits, look: async () => ({}), digests: new Digests(new Headers()) };
  await confirmKept(upload, { size: 0, etag, ...(versionId !== undefined && { versionId }) });
}

async function byStream(
  call: Call,
  copying: Operating<Addressed>,
  source: CopySource,
  { fields, checksumAlgorithm, replacesMetadata, replacesTags }: Asked,
): Promise<Copied> {
  const { service, headers, later } = call;
  if (checksumAlgorithm !== undefined)
    throw new S3Fault("NotImplemented", "The store does not make the checksum of a copy of this object.");
  const tagging = replacesTags ? undefined : await tagsOf(source);
  const body = await source.open(undefined);
  const fieldsOfCopy = {
    ...(replacesMetadata ? {} : source.content()),
    ...(tagging && { tagging }),
    ...fields,
  };
  const digests = new Digests(new Headers());
  try {
    const writing = { body, length: source.size, fields: fieldsOfCopy, digests, headers };
    const { uploaded } = await putObject(copying, writing, service, later);
    return { etag: uploaded.etag, versionId: uploaded.versionId, lastModified: new Date().toISOString() };
  } catch (error) {
    // What nobody takes any more is let go.
    if (body !== null && !body.locked) await body.cancel().catch(() => {});
    throw error;
  }
}

/** Undefined where there are none. */
async function tagsOf({ object, credentials, tagCount }: CopySource): Promise<string | undefined> {
  if (tagCount === 0) return undefined;
  return (
    (await readTags(new S3Bucket(object.bucket, credentials), object.key, object.versionId)) || undefined
  );
}
