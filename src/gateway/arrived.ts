/** A request as it arrived: what its signature is held against, read once. */
import { encodeRfc3986 } from "../s3/api/encode.ts";
import { S3Fault } from "./faults.ts";

export interface Arrived {
  readonly method: string;
  /** As S3's clients sign it: each segment of what arrived, encoded as SigV4 demands. */
  readonly path: string;
  /** Decoded, in their order; several may be called the same. */
  readonly parameters: readonly Parameter[];
  /** Whether a header came, and its value as the client itself sent it. */
  readonly header: (name: string) => string | null;
  /** In lower case. */
  readonly headerNames: readonly string[];
}

export type Parameter = [name: string, value: string];

/**
 * @param host as the client signed it
 * @throws {S3Fault} InvalidURI for what is not percent-encoded UTF-8
 */
export function arrived(request: Request, host: string): Arrived {
  const { method, headers, url } = request;
  const [path, query] = targetOf(url);
  return {
    method,
    path: path.split("/").map(encoded).join("/"),
    parameters: query
      .split("&")
      .filter((pair) => pair !== "")
      .map(parameter),
    header: (name) =>
      name === "host" ? host : name === "accept-encoding" ? acceptEncoding(request) : headers.get(name),
    headerNames: [...headers.keys()],
  };
}

/** What follows the origin, byte for byte. */
function targetOf(url: string): [path: string, query: string] {
  const end = url.indexOf("#");
  const whole = end < 0 ? url : url.slice(0, end);
  const start = whole.indexOf("/", whole.indexOf("://") + 3);
  const target = start < 0 ? "/" : whole.slice(start);
  const cut = target.indexOf("?");
  return cut < 0 ? [target, ""] : [target.slice(0, cut), target.slice(cut + 1)];
}

/** Clients spell a path as they like, and sign this. A slash within a segment stays one that is encoded. */
function encoded(segment: string): string {
  return encodeRfc3986(decoded(segment));
}

function parameter(pair: string): Parameter {
  const end = pair.indexOf("=");
  const [name, value] = end < 0 ? [pair, ""] : [pair.slice(0, end), pair.slice(end + 1)];
  return [decoded(name.replaceAll("+", " ")), decoded(value.replaceAll("+", " "))];
}

function decoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Fault("InvalidURI", "The address is not percent-encoded UTF-8.");
  }
}

/** The platform writes its own in its place. */
function acceptEncoding({ headers, cf }: Request & { readonly cf?: unknown }): string | null {
  const { clientAcceptEncoding } = (cf ?? {}) as { clientAcceptEncoding?: unknown };
  return typeof clientAcceptEncoding === "string" ? clientAcceptEncoding : headers.get("accept-encoding");
}
