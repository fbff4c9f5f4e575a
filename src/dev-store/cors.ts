/** CORS: which pages of which origins may read an answer. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html */
import type { IncomingMessage, ServerResponse } from "node:http";
import { S3Error } from "./errors.ts";
import { all, allElements, parseXml } from "./xml.ts";

export interface CorsRule {
  readonly ID?: string;
  readonly AllowedOrigin: readonly string[];
  readonly AllowedMethod: readonly string[];
  readonly AllowedHeader: readonly string[];
  readonly ExposeHeader: readonly string[];
  readonly MaxAgeSeconds?: string;
}

export function parseCors(document: string): CorsRule[] {
  const rules = allElements(parseXml(document, "CORSConfiguration"), "CORSRule").map((rule): CorsRule => {
    const list = (name: string) => all(rule, name).map(String);
    const [maxAge] = list("MaxAgeSeconds");
    const [id] = list("ID");
    return {
      ...(id !== undefined && { ID: id }),
      AllowedOrigin: list("AllowedOrigin"),
      AllowedMethod: list("AllowedMethod"),
      AllowedHeader: list("AllowedHeader"),
      ExposeHeader: list("ExposeHeader"),
      ...(maxAge !== undefined && { MaxAgeSeconds: maxAge }),
    };
  });
  if (
    rules.length === 0 ||
    rules.some(({ AllowedOrigin, AllowedMethod }) => !AllowedOrigin[0] || !AllowedMethod[0])
  ) {
    throw new S3Error(
      "MalformedXML",
      "Each of at least one CORSRule needs an AllowedOrigin and an AllowedMethod.",
    );
  }
  return rules;
}

/** Sets the headers of the first rule that allows the request; answers whether there is one. */
export function applyCors(
  rules: readonly CorsRule[],
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { origin } = headers;
  if (origin === undefined) return false;
  const isPreflight = method === "OPTIONS";
  const wantedMethod = isPreflight ? headers["access-control-request-method"] : method;
  const wantedHeaders = (isPreflight ? (headers["access-control-request-headers"] ?? "") : "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const rule = rules.find(
    ({ AllowedOrigin, AllowedMethod, AllowedHeader }) =>
      AllowedOrigin.some((pattern) => matches(origin, pattern)) &&
      AllowedMethod.includes(String(wantedMethod)) &&
      wantedHeaders.every((name) => AllowedHeader.some((pattern) => matches(name, pattern.toLowerCase()))),
  );
  response.setHeader("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
  if (rule === undefined) return false;
  const anyone = rule.AllowedOrigin.includes("*");
  response.setHeader("access-control-allow-origin", anyone ? "*" : origin);
  response.setHeader("access-control-allow-methods", rule.AllowedMethod.join(", "));
  if (!anyone) response.setHeader("access-control-allow-credentials", "true");
  if (wantedHeaders.length > 0) response.setHeader("access-control-allow-headers", wantedHeaders.join(", "));
  if (rule.ExposeHeader.length > 0)
    response.setHeader("access-control-expose-headers", rule.ExposeHeader.join(", "));
  if (rule.MaxAgeSeconds !== undefined) response.setHeader("access-control-max-age", rule.MaxAgeSeconds);
  return true;
}

/** One `*` stands for anything. */
function matches(text: string, pattern: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return text === pattern;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}
