/** What the document describes, and whether an answer or a request is that: by its own schemas, with nothing beside them. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { XMLParser } from "fast-xml-parser";
import { type Document, openapi } from "../../scripts/openapi.ts";
import type { JsonSchema } from "../../src/validation.ts";

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: "path" | "query" | "header";
    readonly required?: boolean;
    readonly example?: string;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Described>>;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
}
interface Described {
  readonly $ref?: string;
  readonly content?: Content;
}
export type Content = Readonly<
  Record<
    string,
    { readonly schema: JsonSchema; readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }
  >
>;

export interface Answered {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: Buffer;
}

export const document = openapi();

/** Every operation, as `post /v1/presign`. */
export const OPERATIONS: readonly { method: string; path: string; operation: Operation }[] = Object.entries(
  document.paths,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, operation: operation as Operation })),
);

/** What a reference within the document leads to. */
export function resolved<T>(value: { readonly $ref?: string }): T {
  if (value.$ref === undefined) return value as T;
  const names = value.$ref.split("/").slice(1);
  return names.reduce<unknown>((within, name) => (within as Record<string, unknown>)[name], document) as T;
}

const ajv = new Ajv2020({ strict: false });
formats.default(ajv);
ajv.addSchema(document, "open", false, false);
ajv.addSchema(closed(document) as Document, "closed", false, false);

/**
 * The same with no room in its objects for what has no name there: whoever reads an answer is to find all of it described.
 * A part of an object, as `allOf` puts together, names only a part.
 */
function closed(value: unknown, isPart = false): unknown {
  if (Array.isArray(value)) return value.map((each) => closed(each));
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      name === "allOf" ? (each as unknown[]).map((part) => closed(part, true)) : closed(each),
    ]),
  );
  const isObject = copy.type === "object" && "properties" in copy && !("additionalProperties" in copy);
  return isObject && !isPart ? { ...copy, additionalProperties: false } : copy;
}

const validators = {
  open: new Map<JsonSchema, ValidateFunction>(),
  closed: new Map<JsonSchema, ValidateFunction>(),
};

/**
 * What is wrong with a value, where something is.
 *
 * @param room "open": what has no name may be there, unless the schema says that it may not
 */
export function faultOf(
  schema: JsonSchema,
  value: unknown,
  room: keyof typeof validators = "closed",
): string | undefined {
  const known = validators[room];
  const own = room === "closed" ? closed(schema) : schema;
  const validate = known.get(schema) ?? ajv.compile(absolute(own, room) as object);
  known.set(schema, validate);
  return validate(value) ? undefined : ajv.errorsText(validate.errors);
}

const xml = new XMLParser({ parseTagValue: false });

/** The document's elements, under the name that it has there. */
function faultInXml(schema: JsonSchema, body: Buffer): string | undefined {
  const { "?xml": _, ...roots } = xml.parse(body) as Record<string, unknown>;
  const { name } = schema.xml as { name: string };
  if (Object.keys(roots).join() !== name) return `<${Object.keys(roots)}>, not <${name}>`;
  return faultOf(schema, roots[name]);
}

/** With references that lead into the document from anywhere. */
function absolute(value: unknown, to: string): unknown {
  if (Array.isArray(value)) return value.map((each) => absolute(each, to));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      name === "$ref" && typeof each === "string" ? `${to}${each}` : absolute(each, to),
    ]),
  );
}

/** What of an answer is not described, where anything is not. */
export function undescribed(
  { responses }: Operation,
  { status, type, body }: Answered,
  method: string,
): string | undefined {
  const described = responses[status] ?? responses[`${Math.floor(status / 100)}XX`];
  if (described === undefined) return `no status ${status}`;
  const { content } = resolved<Described>(described);
  if (method === "head" || content === undefined)
    return body.length === 0 ? undefined : `a body with ${status}`;
  const [mediaType = ""] = type?.split(";") ?? [];
  // Any text may be none, and then it has no type.
  const isText = Object.values(content).every(({ schema }) => schema.type === "string");
  if (body.length === 0 && mediaType === "" && isText) return undefined;
  const { schema } = content[mediaType] ?? content["*/*"] ?? {};
  if (schema === undefined) return `no ${mediaType || "body without a type"} with ${status}`;
  if (mediaType === "application/xml" && resolved<JsonSchema>(schema).type === "object")
    return faultInXml(resolved<JsonSchema>(schema), body);
  if (!/[/+]json$/.test(mediaType) || content[mediaType] === undefined) return undefined;
  return faultOf(schema, JSON.parse(body.toString()));
}
