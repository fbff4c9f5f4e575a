/** Requests as the document describes them, and some that it does not allow. */
import fc from "fast-check";
import type { JsonSchema } from "../../src/validation.ts";
import { OPERATIONS, type Operation, resolved } from "./described.ts";
import {
  type Asked,
  CALLER,
  KEY_IDS,
  KNOWN,
  LEARNT,
  LFS_FILE,
  odd,
  type Pool,
  pathOf,
  percent,
} from "./known.ts";
import { s3RequestTo } from "./s3-arbitrary.ts";

/** Values of a schema; `name` is what the value is called. */
export function valuesOf(schema: JsonSchema, pool: Pool, name = ""): fc.Arbitrary<unknown> {
  const { $ref, oneOf, anyOf, const: only, enum: choices, type, examples } = schema;
  if ($ref !== undefined) return valuesOf(resolved<JsonSchema>(schema as { $ref: string }), pool, name);
  const options = (oneOf ?? anyOf) as JsonSchema[] | undefined;
  if (options) return fc.oneof(...options.map((each) => valuesOf(each, pool, name)));
  if (only !== undefined) return fc.constant(only);
  if (Array.isArray(choices)) return fc.constantFrom(...choices);
  if (Array.isArray(examples)) return fc.oneof(fc.constantFrom(...examples), textOf(schema));
  if (type === "string") return known(name, textOf(schema), pool);
  if (type === "integer") return integerOf(schema);
  if (type === "boolean") return fc.boolean();
  if (type === "array") return listOf(schema, pool, name);
  if (type === "object") return objectOf(schema, pool);
  throw new Error(`nothing is made of ${JSON.stringify(schema)}`);
}

function textOf({ pattern, format, minLength = 0, maxLength = 40 }: JsonSchema): fc.Arbitrary<string> {
  if (format === "uuid") return fc.uuid();
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern as string), { size: "-1" });
  return fc.string({
    unit: "grapheme",
    minLength: minLength as number,
    maxLength: Math.min(maxLength as number, 40),
  });
}

function known(name: string, others: fc.Arbitrary<string>, pool: Pool): fc.Arbitrary<string> {
  const choices = KNOWN[name];
  if (choices === undefined && !LEARNT.includes(name)) return others;
  const usual = fc.tuple(fc.nat(1000), fc.nat(1000)).map(([which, index]) => {
    const learnt = pool.at(name, index);
    if (choices === undefined || (learnt !== undefined && which % 3 === 0)) return learnt ?? "none";
    return choices[which % choices.length] ?? "";
  });
  return fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: others });
}

/** Small ones above all: parts and sizes of what there is. */
function integerOf({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): fc.Arbitrary<number> {
  const [min, max] = [minimum as number, maximum as number];
  return fc.oneof(fc.integer({ min, max: Math.min(max, min + 5) }), fc.integer({ min, max }));
}

function listOf({ items, minItems = 0, uniqueItems, contains }: JsonSchema, pool: Pool, name: string) {
  const item = contains
    ? fc.constant((contains as JsonSchema).const)
    : valuesOf(items as JsonSchema, pool, name);
  const bounds = { minLength: contains ? 1 : (minItems as number), maxLength: 3 };
  return uniqueItems ? fc.uniqueArray(item, bounds) : fc.array(item, bounds);
}

function objectOf(schema: JsonSchema, pool: Pool): fc.Arbitrary<unknown> {
  const {
    properties,
    required = [],
    additionalProperties,
  } = schema as {
    properties?: Record<string, JsonSchema>;
    required?: readonly string[];
    additionalProperties?: JsonSchema;
  };
  if (properties === undefined)
    return fc.dictionary(fc.stringMatching(/^[a-z-]{1,8}$/), valuesOf(additionalProperties ?? {}, pool), {
      maxKeys: 2,
    });
  const names = Object.keys(properties);
  // Of what may be left out most is: one field that is wrong hides the rest.
  const optional = names.filter((name) => !required.includes(name));
  const values = Object.fromEntries(
    names.map((name) => [name, valuesOf(properties[name] ?? {}, pool, name)]),
  );
  return fc
    .subarray(optional, { maxLength: Math.min(3, optional.length) })
    .chain((given) =>
      fc.record(
        Object.fromEntries([...required, ...given].map((name) => [name, values[name] ?? fc.constant(0)])),
      ),
    );
}

/** One value of it is another, is gone, or has a stranger beside it. */
function spoilt(value: unknown, seed: number, stranger: unknown): unknown {
  if (Array.isArray(value) && value.length > 0)
    return value.map((each, i) => (i === seed % value.length ? spoilt(each, seed >> 3, stranger) : each));
  if (typeof value !== "object" || value === null || seed % 7 === 0) return stranger;
  const names = Object.keys(value);
  const name = names[seed % Math.max(1, names.length)] ?? "strange";
  const inner = (value as Record<string, unknown>)[name];
  if (seed % 5 === 0) return { ...value, strange: stranger };
  if (seed % 5 === 1) return Object.fromEntries(Object.entries(value).filter(([each]) => each !== name));
  return { ...value, [name]: spoilt(inner, seed >> 3, stranger) };
}

/** The same with what belongs together put together: an upload as it was begun, a key that the bucket has. */
function settled(value: unknown, seed: number, pool: Pool): unknown {
  if (Array.isArray(value)) return value.map((each, i) => settled(each, seed + i, pool));
  if (typeof value !== "object" || value === null || seed % 6 === 0) return value;
  const given = Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, settled(each, seed + 1, pool)]),
  );
  const uploads = "parts" in given ? pool.completable : pool.uploads;
  const upload = uploads[seed % Math.max(1, uploads.length)];
  if ("uploadId" in given && upload !== undefined) {
    const { parts, ...known } = upload;
    const { bucket, ...others } = known;
    return { ...given, ...others, ...("bucket" in given && { bucket }), ...("parts" in given && { parts }) };
  }
  if ("oid" in given) return { ...given, ...LFS_FILE, ...(seed % 4 === 0 && { size: LFS_FILE.size + 1 }) };
  const ids = KEY_IDS[String(given.bucket)];
  return "keyId" in given && ids ? { ...given, keyId: ids[seed % ids.length] } : given;
}

/** Of what is asked of the database, which is slow, and of pages, of which each is as the other: fewer. Of others six. */
const WEIGHTS: Readonly<Record<string, number>> = { "Keys and rotations": 3, "The trail": 3, Service: 1 };

interface Tokens {
  readonly token: string;
  /** Of one who may send little. */
  readonly limitedToken: string;
}

/** A byte more than a JSON body may have. */
const TOO_LONG = 2 ** 20 + 1;

/** Requests to every operation, of which some are spoilt. */
export function requests({ token, limitedToken }: Tokens, pool: Pool): fc.Arbitrary<Asked> {
  const own = { accessKeyId: CALLER, secretAccessKey: token };
  return fc.oneof(
    ...OPERATIONS.map(({ method, path, operation }) => ({
      weight: WEIGHTS[operation.tags[0] ?? ""] ?? 6,
      arbitrary: path.startsWith("/s3")
        ? s3RequestTo(method, path, operation, own, pool)
        : requestTo(method, path, operation, { token, limitedToken }, pool),
    })),
  );
}

function requestTo(
  method: string,
  path: string,
  operation: Operation,
  { token, limitedToken }: Tokens,
  pool: Pool,
): fc.Arbitrary<Asked> {
  const { parameters = [], requestBody } = operation;
  const of = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const optional = [...of("query"), ...of("header")].filter(({ required }) => !required);
  const value = (parameter: (typeof parameters)[number]) => {
    const { name, schema } = parameter;
    const usual = valuesOf(schema, pool, name === "if-match" || name === "if-none-match" ? "etag" : name);
    return fc.oneof({ weight: 24, arbitrary: usual.map(String) }, { weight: 1, arbitrary: odd });
  };
  const values = fc.subarray(optional, { maxLength: Math.min(3, optional.length) }).chain((given) => {
    const all = [...parameters.filter(({ required }) => required), ...given];
    return fc.tuple(...all.map((each) => value(each).map((text) => ({ ...each, text }))));
  });
  const json = requestBody?.content["application/json"]?.schema;
  const content = json
    ? valuesOf(json, pool)
    : requestBody
      ? fc.oneof(fc.constant("text"), fc.string({ maxLength: 200 }), fc.constant("more".repeat(50)))
      : fc.constant(undefined);
  return fc
    .record({
      values,
      content,
      // The one to ten that is spoilt is so in one way.
      spoil: fc.nat(60),
      seed: fc.nat(10_000),
      stranger: fc.oneof(odd, fc.jsonValue({ maxDepth: 1 }), fc.constantFrom(-1, 1e21, 0.5, null, [], {})),
    })
    .map(({ values, content: drawn, spoil, seed, stranger }) => {
      const isJson = json !== undefined;
      // A body that need not be there may be too long as well.
      const isMeasured = isJson || (requestBody === undefined && "413" in operation.responses);
      const content = isJson ? settled(drawn, seed, pool) : drawn;
      const said = isJson && spoil < 8 ? spoilt(content, seed, stranger) : content;
      const text = isJson ? JSON.stringify(said) : (said as string | undefined);
      const where = values.filter((each) => each.in === "path");
      const address = where.reduce(
        (url, { name, text }) => url.replace(`{${name}}`, () => pathOf(text, /^(key|folder)$/.test(name))),
        path,
      );
      const query = values
        .filter((each) => each.in === "query")
        .map(({ name, text }) => `${name}=${percent(text)}`)
        .join("&");
      const strange =
        spoil === 8 ? `${query && "&"}strange=1` : spoil === 9 ? `${query && "&"}limit=%ff` : "";
      const headers = Object.fromEntries(
        values
          .filter((each) => each.in === "header")
          // Others no HTTP client sends.
          .map(({ name, text }) => [name, text.replace(/[^ -~]/g, "")]),
      );
      const etag = pool.etags.get(address);
      for (const name of ["if-match", "if-none-match"])
        if (headers[name] !== undefined && etag !== undefined && seed % 3 > 0) headers[name] = etag;
      const authorization =
        spoil === 10
          ? {}
          : spoil === 11
            ? { authorization: "Bearer nobody" }
            : { authorization: `Bearer ${spoil > 54 ? limitedToken : token}` };
      return {
        method: spoil === 12 ? "delete" : method,
        url: address + (query || strange ? `?${query}${strange}` : ""),
        headers: { ...headers, ...authorization, ...(isJson && { "content-type": "application/json" }) },
        body:
          spoil === 13 && isJson
            ? Buffer.from([0x7b, 0xff, 0x22])
            : spoil === 14 && isMeasured
              ? Buffer.from((text ?? "{}").padEnd(TOO_LONG))
              : text === undefined
                ? undefined
                : Buffer.from(text),
        operation,
        path,
        json: isJson && spoil !== 13 ? said : undefined,
      };
    });
}
