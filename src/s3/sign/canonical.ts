/**
 * The part of SigV4's canonical request that the headers are: what repeats is there as bytes already, and only what
 * differs from one request to the next is gone through.
 */
import { Message } from "../../hash/message.ts";
import { encodeRfc3986 } from "../api/encode.ts";

const utf8 = new TextEncoder();

/** Requests that sign headers of the same names. */
export class SignedHeaders {
  /** As they were given, the host not among them. */
  readonly given: readonly string[];
  /** `host;x-amz-date` */
  readonly names: string;
  /** The same as a URL has them: `host%3Bx-amz-date`. */
  readonly encodedNames: string;
  /** In the order of signing; the host has no given name. */
  readonly #lines: readonly Line[];
  readonly #end: Uint8Array;
  /** The lines with the values of the request before, in most of which the next one will be equal. */
  readonly #block = new Message(512);
  #bytes: Uint8Array;

  constructor(given: readonly string[]) {
    const byName = new Map<string, string | undefined>(given.map((name) => [name.toLowerCase(), name]));
    byName.set("host", undefined);
    const sorted = [...byName.keys()].sort();
    this.given = given;
    this.names = sorted.join(";");
    this.encodedNames = encodeRfc3986(this.names);
    this.#end = utf8.encode(`\n\n${this.names}\n`);
    this.#lines = sorted.map((name) => {
      const before = utf8.encode(`\n${name}:`);
      const at = this.#block.addBytes(before).length;
      return { given: byName.get(name), before, value: "", start: at, end: at };
    });
    this.#bytes = this.#block.addBytes(this.#end).bytes;
  }

  /** `\nname:value` for each header, and then their names; to be used before the next call. */
  block(headers: Readonly<Record<string, string>>, host: string): Uint8Array {
    const block = this.#block;
    let hasMoved = false;
    for (const line of this.#lines) {
      const value = line.given === undefined ? host : (headers[line.given] ?? "");
      if (hasMoved) line.start = block.addBytes(line.before).length;
      else if (value === line.value) continue;
      else block.restart(line.start);
      line.value = value;
      block.add(trimmed(value));
      hasMoved ||= block.length !== line.end;
      line.end = block.length;
    }
    if (hasMoved) this.#bytes = block.addBytes(this.#end).bytes;
    if (this.#bytes.length > MAX_KEPT) forget(this);
    return this.#bytes;
  }
}

/** A header, and where its value lies in the block. */
interface Line {
  /** Its name as it was given. */
  readonly given: string | undefined;
  readonly before: Uint8Array;
  value: string;
  start: number;
  end: number;
}

/** Callers choose the names of metadata, and how long values are: of neither is there an end. */
const MAX_KNOWN = 200;
/** Bytes of a block. */
const MAX_KEPT = 4096;
const known = new Map<string, SignedHeaders>();
const none = new SignedHeaders([]);
/** Most requests are like the one before. */
let last = none;

/** The host and every header that is given. */
export function signedHeaders(headers: Readonly<Record<string, string>>): SignedHeaders {
  const given = Object.keys(headers);
  if (!areSame(given, last.given)) last = remembered(given);
  return last;
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

function remembered(given: readonly string[]): SignedHeaders {
  const id = given.join();
  let signed = known.get(id);
  if (signed === undefined) {
    if (known.size === MAX_KNOWN) known.clear();
    signed = new SignedHeaders(given);
    known.set(id, signed);
  }
  return signed;
}

function forget(signed: SignedHeaders): void {
  known.delete(signed.given.join());
  if (last === signed) last = none;
}

/** As SigV4's Trim, and as every HTTP client does at the ends. */
export function trimmed(value: string): string {
  return /\s/.test(value) ? value.trim().replace(/\s+/g, " ") : value;
}
