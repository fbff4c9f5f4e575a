/**
 * The canonical request of SigV4, written straight into bytes: what repeats is there as bytes already, and only what
 * differs from one request to the next is gone through.
 */
import { type Message, type Prepared, prepare } from "../hash/message.ts";
import { encodeRfc3986 } from "./encode.ts";

const utf8 = new TextEncoder();

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

/** Adds `\nname:value` for each header, then their names. */
export function addHeaders(
  message: Message,
  { lines, end }: SignedHeaders,
  headers: Readonly<Record<string, string>>,
  host: string,
): Message {
  for (const { before, name } of lines) {
    message.addBytes(before).add(name === undefined ? host : trimmed(headers[name] ?? ""));
  }
  return message.addBytes(end);
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
