/** The one maker of schemas for requests that name fields of S3's, whatever address they come to. */
import * as v from "valibot";
import { strictObject } from "../../validation.ts";
import { FIELDS, type FieldInputs, type FieldName, type FieldValues } from "./fields.ts";

/** Fields that may be given, and those that must be: an entry of OPERATIONS, or a part of one. */
export interface Taken<Field extends FieldName, Required extends FieldName> {
  readonly fields?: readonly Field[];
  readonly required?: readonly Required[];
}

/** What a request holds: entries of its own, and fields. */
export type RequestOf<
  Own extends v.ObjectEntries,
  Field extends FieldName,
  Required extends FieldName,
> = v.InferOutput<v.StrictObjectSchema<Own, undefined>> &
  Pick<FieldValues, Exclude<Field, Required | keyof Own>> & {
    readonly [Name in Exclude<Required, keyof Own>]: NonNullable<FieldValues[Name]>;
  };

/** The same before it is checked. */
export type InputOf<
  Own extends v.ObjectEntries,
  Field extends FieldName,
  Required extends FieldName,
> = v.InferInput<v.StrictObjectSchema<Own, undefined>> & {
  readonly [Name in Exclude<Field, Required | keyof Own>]?: FieldInputs[Name] | undefined;
} & {
  readonly [Name in Exclude<Required, keyof Own>]: NonNullable<FieldInputs[Name]>;
};

/**
 * The schema of a request; what it does not name is refused.
 *
 * @param own entries beside the fields, or in place of those of the same name
 */
export function requestSchema<
  Own extends v.ObjectEntries,
  Field extends FieldName = never,
  Required extends FieldName = never,
>(
  own: Own,
  { fields = [], required = [] }: Taken<Field, Required>,
): v.GenericSchema<InputOf<Own, Field, Required>, RequestOf<Own, Field, Required>> {
  const isNotOwn = (name: FieldName) => !Object.hasOwn(own, name);
  const entries = {
    ...own,
    ...Object.fromEntries(
      fields.filter(isNotOwn).map((name) => [name, v.optional(FIELDS[name].schema as v.GenericSchema)]),
    ),
    ...Object.fromEntries(required.filter(isNotOwn).map((name) => [name, FIELDS[name].schema])),
  };
  // What the fields' schemas make up, TypeScript cannot see.
  return strictObject(entries) as unknown as v.GenericSchema<
    InputOf<Own, Field, Required>,
    RequestOf<Own, Field, Required>
  >;
}
