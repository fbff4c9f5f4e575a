/** How a route is written down, and what the document makes of it. */
import type { ProblemStatus } from "../../src/http/problem.ts";
import { type AnySchema, type JsonSchema, queryOf, refTo } from "./json-schema.ts";
import { problemsAt } from "./problems.ts";
import { NAMED } from "./schemas.ts";

export interface Route {
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** A schema that checks the query as a whole, or parameters as they stand. */
  readonly query?: AnySchema;
  readonly parameters?: readonly object[];
  readonly request?: Body;
  /** Whether the request may have no body at all. */
  readonly mayBeEmpty?: boolean;
  /** By status, or `4XX`. */
  readonly answers: Readonly<Record<string, Body>>;
  readonly problems: readonly ProblemStatus[];
  /** Other than by the caller's token. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  /** Problems that are told otherwise. */
  readonly problemsAs?: Body;
}

export interface Body {
  readonly description?: string;
  /** JSON's, unless it is said. */
  readonly type?: string;
  /** The name of a schema, or one; without it there is no body. */
  readonly schema?: string | JsonSchema;
  readonly examples?: Readonly<Record<string, unknown>>;
  /** Other media types that it may have, and their schemas. */
  readonly others?: Readonly<Record<string, JsonSchema>>;
  /** Names in `components.headers`, beside x-request-id. */
  readonly headers?: readonly string[];
}

/** Parameters of a path, by name. */
const IN_PATH: Readonly<Record<string, { readonly description: string; readonly example: string }>> = {
  bucket: { description: "A bucket, by its name in BUCKETS", example: "media" },
  key: {
    description: "The object's key, percent-encoded; slashes may stand as they are",
    example: "users/42/cat.jpg",
  },
  folder: {
    description: "A folder in the bucket; slashes may stand as they are",
    example: "repositories/cats",
  },
  keyId: { description: "The id of a customer key", example: "k1" },
  id: { description: "The id of a rotation", example: "0199d2c4-6a0e-7d5f-9a57-0f6c1a3b7e21" },
};

/** An Operation Object. @param path with `{names}` */
export function operationOf(path: string, route: Route): object {
  const { operationId, tag, summary, description, query, parameters = [], request, answers } = route;
  const all = [
    ...Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = ""]) => pathParameter(name)),
    ...(query ? queryOf(query, NAMED) : []),
    ...parameters,
  ];
  const problems = problemsAt(route.problems);
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(all.length > 0 && { parameters: all }),
    ...(request && { requestBody: { required: !route.mayBeEmpty, content: contentOf(request) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, body]) => [status, responseOf(body)])),
      ...(route.problemsAs
        ? Object.fromEntries(
            Object.keys(problems).map((status) => [status, responseOf(route.problemsAs ?? {})]),
          )
        : problems),
    },
    ...(route.security && { security: route.security }),
  };
}

function pathParameter(name: string): object {
  const told = IN_PATH[name];
  if (told === undefined) throw new Error(`nothing is said of {${name}}: scripts/openapi/route.ts`);
  return { name, in: "path", required: true, schema: { type: "string", minLength: 1 }, ...told };
}

function responseOf(body: Body): object {
  const headers = ["x-request-id", ...(body.headers ?? [])];
  return {
    description: body.description ?? "As asked",
    headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...(body.schema && { content: contentOf(body) }),
  };
}

function contentOf({ type = "application/json", schema, examples, others = {} }: Body): object {
  return {
    [type]: {
      schema: typeof schema === "string" ? { $ref: refTo(schema) } : schema,
      ...(examples && {
        examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
      }),
    },
    ...Object.fromEntries(Object.entries(others).map(([name, schema]) => [name, { schema }])),
  };
}
