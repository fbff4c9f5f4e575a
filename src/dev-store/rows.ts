/** What the database keeps, as the rest of the store sees it. */
import type { Algorithm, Checksum, ChecksumType, PartChecksum } from "./checksums.ts";
import type { Segment } from "./segments.ts";
import type { Tags } from "./tags.ts";

export interface Retention {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export interface Lock {
  readonly retention?: Retention;
  readonly hold?: "ON" | "OFF";
}

/** The version of an object that a bucket without versioning has, and one with it suspended writes. */
export const NULL_VERSION = "null";

/** One version of an object: what is kept of it beside its bytes; or a delete marker. */
export interface ObjectRow {
  readonly key: string;
  readonly version: string;
  /** Grows from one version of a key to the next. */
  readonly order: number;
  readonly isMarker: boolean;
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since the epoch, whole seconds. */
  readonly modified: number;
  /** Null: in the clear. */
  readonly keyMd5: string | null;
  /** Headers as GET answers them: content-type, x-amz-meta-*, … */
  readonly headers: Readonly<Record<string, string>>;
  readonly segments: readonly Segment[];
  /** The upload that made it, so that a second CompleteMultipartUpload can be answered. */
  readonly uploadId: string | null;
  /** What a multipart upload was made of; none otherwise. */
  readonly parts: readonly { readonly number: number; readonly size: number; readonly checksum?: string }[];
  readonly checksum?: Checksum;
  readonly tags: Tags;
  readonly lock: Lock;
}

/** What older rows do not have. */
export const OBJECT_DEFAULTS = {
  version: NULL_VERSION,
  order: 1,
  isMarker: false,
  parts: [],
  tags: [],
  lock: {},
};

export interface UploadRow {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly keyMd5: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly created: number;
  readonly tags: Tags;
  readonly lock: Lock;
  readonly checksum?: { readonly algorithm: Algorithm; readonly type: ChecksumType };
}

export const UPLOAD_DEFAULTS = { tags: [], lock: {} };

export interface PartRow {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly modified: number;
  readonly segment: Segment;
  /** Of the upload's algorithm; where that has none, of the one that the part claimed. */
  readonly checksum?: PartChecksum;
}
