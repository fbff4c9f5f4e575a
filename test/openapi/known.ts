/** What requests are made of: what there is in the buckets, what answers told, and what is not in order. */
import fc from "fast-check";
import { character } from "../support/character.ts";
import type { Operation } from "./described.ts";

/** Who calls. */
export const CALLER = "me";
/** Who may send little. */
export const LIMITED_CALLER = "small";

export interface Asked {
  readonly method: string;
  /** With the query, as it stands. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly operation: Operation;
  /** As in the document. */
  readonly path: string;
  /** What the body says, where it is JSON. */
  readonly json: unknown;
}

/** An upload in parts that was begun: only all of it together is right. */
export interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly keyId?: string;
  readonly uploadId: string;
  /** Those that the store has. */
  readonly parts: readonly { readonly partNumber: number; readonly etag: string }[];
}

/** Credentials for S3. */
export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What answers told, by the name that it had there: ETags, cursors, versions; and uploads and sessions, each as a whole. */
export class Pool {
  readonly #values = new Map<string, string[]>();
  readonly uploads: Upload[] = [];
  /** Those with a part, which are only completed. */
  readonly completable: Upload[] = [];
  readonly signers: Signer[] = [];
  /** By the address of what has it, without the query. */
  readonly etags = new Map<string, string>();

  /** What is not kept for longer than it is likely to be good. */
  static keep<T>(values: T[], value: T): void {
    if (values.push(value) > 50) values.shift();
  }

  /** A part of an upload has come to the store. */
  hasPart(uploadId: unknown, part: Upload["parts"][number]): void {
    const at = this.uploads.findIndex((each) => each.uploadId === uploadId);
    const [upload] = at < 0 ? [] : this.uploads.splice(at, 1);
    if (upload) Pool.keep(this.completable, { ...upload, parts: [part] });
  }

  /** Takes the texts in an answer, or of a part of one. */
  learn(value: unknown, name = ""): void {
    if (typeof value === "string" && LEARNT.includes(name) && value !== "") {
      const values = this.#values.get(name) ?? [];
      Pool.keep(values, value);
      this.#values.set(name, values);
    } else if (typeof value === "object" && value !== null)
      for (const [inner, each] of Object.entries(value))
        this.learn(each, Array.isArray(value) ? name : inner);
  }

  at(name: string, index: number): string | undefined {
    const values = this.#values.get(name) ?? [];
    return values[index % values.length];
  }
}

export const LEARNT = ["uploadId", "etag", "cursor", "id", "versionId"];

/** Other than the bucket of the tests few are found, and nothing is found out. */
export const KNOWN: Readonly<Record<string, readonly string[]>> = {
  bucket: ["media", "media", "media", "media", "derived", "old", "nobodys"],
  key: ["a", "a", "b/c", "b/ü ?#%.txt", "b//", "x", "y"],
  keyId: ["k1", "k1", "k2", "root", "k9"],
  keyPrefix: ["b/", ""],
  prefix: ["", "b/", "z"],
  folder: ["lfs", "b/c"],
  contentType: ["text/plain", "image/png"],
  "content-type": ["text/plain", "image/png"],
  "if-modified-since": ["Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"],
  "if-unmodified-since": ["Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"],
};

export const odd = fc.oneof(
  fc.string({ unit: character, maxLength: 12 }),
  fc.constantFrom(
    "",
    " ",
    "\0",
    "..",
    "../a",
    "a\r\nb",
    "\ud800",
    "ä".repeat(600),
    "-1",
    "1e9",
    "null",
    "%zz",
  ),
);

/** "hello world", as Git LFS calls it; where it lies no other request reaches. */
export const LFS_FILE = {
  oid: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
  size: 11,
};

export const KEY_IDS: Readonly<Record<string, readonly string[]>> = {
  media: ["k1", "k2"],
  derived: ["root"],
  old: ["k0"],
};

/** Slashes of an object's key stand as they are; a segment of dots no client would send. */
export function pathOf(text: string, hasSegments: boolean): string {
  const path = hasSegments ? text.split("/").map(percent).join("/") : percent(text);
  return /(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path) || path === "" ? "a" : path;
}

export function percent(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
