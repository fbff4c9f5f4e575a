/**
 * What a request is about, from the raw request line: a URL parser would collapse `..` and `//`, and an object key
 * may hold anything.
 */
import type { IncomingMessage } from "node:http";
import { S3Error } from "./errors.ts";
import { checkKey } from "./limits.ts";

export interface Target {
  readonly method: string;
  readonly host: string;
  /** The decoded path as sent, bucket included where it was in the path. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly bucket: string;
  readonly key: string;
}

export function targetOf(request: IncomingMessage, hostnames: readonly string[]): Target {
  const { method = "", url = "", headers } = request;
  const host = headers.host ?? "";
  // A client that takes the store for its proxy names the host here as well (RFC 9112, section 3.2.2).
  const origin = url.replace(/^https?:\/\/[^/?]*/i, "");
  const cut = origin.indexOf("?");
  const path = decode(cut < 0 ? origin : origin.slice(0, cut));
  if (!path.startsWith("/")) throw new S3Error("InvalidURI", "Couldn't parse the specified URI.");
  const virtual = bucketInHost(host, hostnames);
  const [, bucketInPath = "", keyInPath = ""] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  const bucket = virtual ?? bucketInPath;
  const key = virtual === undefined ? keyInPath : path.slice(1);
  checkKey(key);
  return { method, host, path, query: queryOf(cut < 0 ? "" : origin.slice(cut + 1)), bucket, key };
}

function bucketInHost(host: string, hostnames: readonly string[]): string | undefined {
  const name = host.replace(/:\d+$/, "");
  const base = hostnames
    .filter((suffix) => name.endsWith(`.${suffix}`))
    .sort((a, b) => b.length - a.length)[0];
  return base === undefined ? undefined : name.slice(0, -base.length - 1);
}

function queryOf(text: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const [name = "", ...value] = pair.split("=");
    const decoded = decode(name);
    if (decoded in query) throw new S3Error("InvalidArgument", "A query parameter is given twice.");
    query[decoded] = decode(value.join("="));
  }
  return query;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error("InvalidURI", "Couldn't parse the specified URI: it is not percent-encoded UTF-8.");
  }
}
