/** The source of CopyObject and UploadPartCopy, opened with its own triple and held against its conditions. */
import { checkReadable } from "./attributes.ts";
import { type Call, header } from "./call.ts";
import { checkConditions } from "./conditions.ts";
import { S3Error } from "./errors.ts";
import { authorize } from "./evaluate.ts";
import type { ObjectRow } from "./rows.ts";
import { checkOpens, copySourceSseKeyOf, type SseKey } from "./ssec.ts";
import { objectOf, versionHeaders, versionIdOf } from "./versions.ts";

export interface CopySource {
  readonly bucket: string;
  readonly row: ObjectRow;
  readonly sse: SseKey | undefined;
  /** What the answer says of its version. */
  readonly headers: Readonly<Record<string, string>>;
}

export function copySourceOf(call: Call): CopySource {
  const { store, headers } = call;
  const { bucket, key, version } = nameOf(header(call, "x-amz-copy-source") ?? "");
  if (!store.database.hasBucket(bucket))
    throw new S3Error("NoSuchBucket", "The specified bucket does not exist", { BucketName: bucket });
  const action = version === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
  authorize(store, { action, bucket, key, named: headers });
  const row = sourceRow({ store, bucket, key }, version);
  const sse = copySourceSseKeyOf(headers);
  checkOpens(row.keyMd5, sse);
  const condition = (name: string) => header(call, `x-amz-copy-source-${name}`);
  checkConditions(
    {
      ifMatch: condition("if-match"),
      ifNoneMatch: condition("if-none-match"),
      ifModifiedSince: condition("if-modified-since"),
      ifUnmodifiedSince: condition("if-unmodified-since"),
    },
    row,
    false,
  );
  checkReadable(row.headers);
  const { "x-amz-version-id": from } = versionHeaders({ store, bucket }, row.version);
  return { bucket, row, sse, headers: from === undefined ? {} : { "x-amz-copy-source-version-id": from } };
}

/** `/bucket/key?versionId=…`, percent-encoded. */
function nameOf(source: string): { bucket: string; key: string; version: string | undefined } {
  const [, path = "", versionId] = /^(.*?)(?:\?versionId=([^?]*))?$/s.exec(source) ?? [];
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw new S3Error("InvalidArgument", "The copy source is not percent-encoded UTF-8.");
  }
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(decoded) ?? [];
  if (bucket === undefined || key === undefined || path.includes("?")) {
    throw new S3Error(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
      { ArgumentName: "x-amz-copy-source", ArgumentValue: source },
    );
  }
  return { bucket, key, version: versionIdOf({ query: versionId === undefined ? {} : { versionId } }) };
}

function sourceRow(place: Parameters<typeof objectOf>[0], version: string | undefined): ObjectRow {
  try {
    return objectOf(place, version);
  } catch (error) {
    if (!(error instanceof S3Error) || error.code !== "MethodNotAllowed") throw error;
    throw new S3Error(
      "InvalidRequest",
      "The source of a copy request may not specifically refer to a delete marker by version id.",
    );
  }
}
