/** JSON Schema of the schemas that validate. What a check demands it says itself: one that says nothing is an error here. */
import { toJsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { JsonSchema } from "../../src/validation.ts";

export type { JsonSchema };

/** A schema, whatever is checked by it. */
export type AnySchema = v.GenericSchema;

/** Each by its name; where one stands within another, it is named there. */
export type Named = Readonly<Record<string, AnySchema>>;

const CONFIG = {
  // What callers may send, before anything is made of it.
  typeMode: "input",
  target: "draft-2020-12",
  overrideRef: ({ referenceId }: { referenceId: string }) => refTo(referenceId),
  overrideAction: ({ valibotAction, jsonSchema }: Parameters<OverrideAction>[0]) => {
    const { type, requirement, jsonSchema: told } = valibotAction as unknown as Action;
    if (told !== undefined) return { ...jsonSchema, ...told };
    // No text has more characters than bytes.
    if (type === "max_bytes") return { ...jsonSchema, maxLength: requirement as number };
    if (type === "includes" && jsonSchema.type === "array") {
      const { pattern: _, ...list } = jsonSchema;
      return { ...list, contains: { const: requirement as string } };
    }
    return undefined;
  },
} as const;

type OverrideAction = NonNullable<NonNullable<Parameters<typeof toJsonSchema>[1]>["overrideAction"]>;

/** As far as it is looked at. */
interface Action {
  readonly type: string;
  readonly requirement?: unknown;
  readonly jsonSchema?: Record<string, never>;
}

export function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/** @throws where a check does not say what JSON Schema can say of it */
export function schemasOf(named: Named): Record<string, JsonSchema> {
  return toJsonSchemaDefs(named as Record<string, v.GenericSchema>, CONFIG) as Record<string, JsonSchema>;
}

/** @throws as `schemasOf` does */
export function schemaOf(schema: AnySchema, named: Named): JsonSchema {
  const { $schema, $defs, ...own } = toJsonSchema(schema as v.GenericSchema, {
    ...CONFIG,
    definitions: named as Record<string, v.GenericSchema>,
  });
  return own as JsonSchema;
}

/** The parameters of a query, of the schema that checks it as a whole. */
export function queryOf(schema: AnySchema, named: Named): object[] {
  const { properties = {}, required = [] } = schemaOf(schema, named) as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    ...(required.includes(name) && { required: true }),
    schema,
  }));
}
