/** The fields of a request by the headers and parameters that they came in: the table of fields, read backwards. */
import { METADATA } from "../edge/headers.ts";
import { Refused } from "../refused.ts";
import { FIELDS, type FieldName, type FieldValues, headerOf, parameterOf } from "../s3/api/fields.ts";
import { OPERATIONS, type OperationName } from "../s3/api/operations.ts";
import { requestSchema } from "../s3/api/request-schema.ts";
import { check } from "../validation.ts";
import { S3Fault } from "./faults.ts";

/** What is read where it is used: lengths are the body's, conditions are held by the edge, and a source is looked up. */
const READ_ELSEWHERE: readonly FieldName[] = [
  ...(["contentLength", "ifMatch", "ifNoneMatch", "source"] as const),
  ...(["ifSourceMatch", "ifSourceNoneMatch", "ifSourceModifiedSince", "ifSourceUnmodifiedSince"] as const),
];
const NUMBERS: readonly FieldName[] = ["partNumber", "maxParts", "partNumberMarker"];
const RESPONSE = "response-";

/**
 * Every field that the operation takes and that was given.
 *
 * @throws {Refused} invalid-request; what is wrong with one is told by where it came in
 */
export function fieldsOf(operation: OperationName, headers: Headers, query: URLSearchParams): FieldValues {
  const { fields, required = [] } = OPERATIONS[operation];
  const taken = (names: readonly FieldName[]) => names.filter((name) => !READ_ELSEWHERE.includes(name));
  const given: Partial<Record<FieldName, unknown>> = {};
  for (const name of taken([...fields, ...required])) {
    const value = givenFor(name, headers, query);
    if (value !== undefined) given[name] = value;
  }
  const checked = check(requestSchema({}, { fields: taken(fields), required: taken(required) }), given);
  if (checked.ok) return checked.value as FieldValues;
  throw Refused.fields(checked.errors.map(({ path, message }) => ({ path: placeOf(path), message })));
}

function givenFor(name: FieldName, headers: Headers, query: URLSearchParams): unknown {
  if (name === "metadata") return metadataOf(headers);
  if (name === "response") return overridesOf(query);
  const [header, parameter] = [headerOf(name), parameterOf(name)];
  const value = (header && headers.get(header)) ?? (parameter && single(query, parameter)) ?? undefined;
  if (name === "objectAttributes") return value?.split(",").map((one) => one.trim());
  return value !== undefined && NUMBERS.includes(name) && /^\d{1,10}$/.test(value) ? Number(value) : value;
}

/** @throws {S3Fault} InvalidArgument for what is given twice */
export function single(query: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = query.getAll(name);
  if (others.length > 0) throw new S3Fault("InvalidArgument", `${name} is given twice.`);
  return value;
}

function metadataOf(headers: Headers): Record<string, string> | undefined {
  const entries = [...headers].filter(([name]) => name.startsWith(METADATA));
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(METADATA.length), value]));
}

function overridesOf(query: URLSearchParams): Record<string, string> | undefined {
  const names = [...new Set(query.keys())].filter((name) => name.startsWith(RESPONSE));
  if (names.length === 0) return undefined;
  const camel = (name: string) =>
    name.slice(RESPONSE.length).replace(/-(\w)/g, (_, c: string) => c.toUpperCase());
  return Object.fromEntries(names.map((name) => [camel(name), single(query, name) ?? ""]));
}

/** Where a field came in. */
export function placeOf(path: string): string {
  const [field = "", ...rest] = path.split(".");
  if (field === "metadata" && rest.length > 0) return METADATA + rest.join(".");
  if (field === "response" && rest.length > 0)
    return RESPONSE + rest.join(".").replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
  const name = /^\w*/.exec(field)?.[0] as FieldName;
  return (Object.hasOwn(FIELDS, name) ? (headerOf(name) ?? parameterOf(name)) : undefined) ?? path;
}
