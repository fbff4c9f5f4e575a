/**
 * The canonical request of SigV4, written straight into bytes: what repeats is there as bytes already, and only what
 * differs from one request to the next is gone through.
 */
import { createHash } from "node:crypto";
import { encodeRfc3986 } from "./encode.ts";

const utf8 = new TextEncoder();

/** Text that is used again and again. */
export interface Prepared {
  readonly text: string;
  readonly bytes: Uint8Array;
}

export function prepare(text: string): Prepared {
  return { text, bytes: utf8.encode(text) };
}

/** The bytes of one request after another, in the same memory. */
export class CanonicalRequest {
  #bytes = new Uint8Array(4096);
  #length = 0;

  restart(): this {
    this.#length = 0;
    return this;
  }

  add(piece: string | Prepared): this {
    if (typeof piece === "string") this.#addText(piece);
    else this.#addBytes(piece.bytes);
    return this;
  }

  /** `\nname:value` for each header, then their names. */
  addHeaders({ lines, end }: SignedHeaders, headers: Readonly<Record<string, string>>, host: string): this {
    for (const { before, name } of lines) {
      this.#addBytes(before);
      this.#addText(name === undefined ? host : trimmed(headers[name] ?? ""));
    }
    this.#addBytes(end);
    return this;
  }

  sha256(): Uint8Array {
    return createHash("sha256").update(this.#bytes.subarray(0, this.#length)).digest();
  }

  #addText(text: string): void {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#addBytes(utf8.encode(text));
        return;
      }
      bytes[start + i] = code;
    }
    this.#length += text.length;
  }

  #addBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * needed);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** All that the names of the signed headers decide. */
export interface SignedHeaders {
  /** In the order of signing: what stands before the value, and the name as it was given; the host has none. */
  readonly lines: readonly { readonly before: Uint8Array; readonly name: string | undefined }[];
  readonly end: Uint8Array;
  /** `host;x-amz-date` */
  readonly names: string;
  /** `&X-Amz-SignedHeaders=host%3Bx-amz-date` */
  readonly query: Prepared;
}

/** Callers choose the names of metadata, so that there is no end of them. */
const MAX_KNOWN = 1000;
const known = new Map<string, SignedHeaders>();

/** The host and every header that is given. */
export function signedHeaders(headers: Readonly<Record<string, string>>): SignedHeaders {
  const given = Object.keys(headers);
  const id = given.join();
  let signed = known.get(id);
  if (signed === undefined) {
    if (known.size === MAX_KNOWN) known.clear();
    signed = signedHeadersOf(given);
    known.set(id, signed);
  }
  return signed;
}

function signedHeadersOf(given: readonly string[]): SignedHeaders {
  const byName = new Map<string, string | undefined>(given.map((name) => [name.toLowerCase(), name]));
  byName.set("host", undefined);
  const sorted = [...byName.keys()].sort();
  const names = sorted.join(";");
  return {
    lines: sorted.map((name) => ({ before: utf8.encode(`\n${name}:`), name: byName.get(name) })),
    end: utf8.encode(`\n\n${names}\n`),
    names,
    query: prepare(`&X-Amz-SignedHeaders=${encodeRfc3986(names)}`),
  };
}

/** As SigV4's Trim, and as every HTTP client does at the ends. */
function trimmed(value: string): string {
  return /\s/.test(value) ? value.trim().replace(/\s+/g, " ") : value;
}
