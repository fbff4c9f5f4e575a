/** What an upload is told of its object, and what is known of it afterwards. */

/** Content headers and metadata, as the API names them. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Uploaded {
  readonly keyId: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly versionId?: string;
}
