/** The rows that `ssec add` makes of its options. */
import type { TableName } from "../../config/tables.ts";
import type { Row, RowName, Tables } from "../edit/edit.ts";
import { freshKey, freshToken, keySecret, tokenSecret } from "../fresh-secrets.ts";
import { asksDerive } from "../init/derive.ts";
import { freeKeyId, freeSecret } from "../init/plan.ts";
import { UNPRINTABLE_NAME } from "../init/setup.ts";
import { printable } from "../terminal.ts";
import { type Addition, type AddOptions, add, tablesAt } from "./add.ts";

interface BucketOptions extends AddOptions {
  readonly store?: string;
  readonly name?: string;
  readonly key?: readonly string[];
}

export async function addBucket(id: string, options: BucketOptions): Promise<void> {
  const there = tablesAt(options);
  refuseThere(there, { table: "BUCKETS", id });
  const { name } = options;
  const store = oneOf(there, "STORES", options.store, "--store");
  const keys = options.key ?? [oneOf(there, "KEYS", undefined, "--key")];
  for (const key of keys) oneOf(there, "KEYS", key, "--key");
  const row = { store, ...(name !== undefined && { name }), keys };
  await add(options, { ...newRow(there, "BUCKETS", id, row), callersNeed: id });
}

interface KeyOptions extends AddOptions {
  readonly bucket?: readonly string[];
  readonly derive?: boolean;
  readonly notBefore?: string;
  readonly writeUntil?: string;
}

export async function addKey(given: string | undefined, options: KeyOptions): Promise<void> {
  const there = tablesAt(options);
  const { bucket: buckets = [], notBefore, writeUntil } = options;
  const id = given ?? freeKeyId(there);
  for (const bucket of buckets) oneOf(there, "BUCKETS", bucket, "--bucket");
  const secret = keySecret(id);
  refuseThere(there, { table: "KEYS", id });
  refuseTaken(there, secret);
  const addition = newRow(there, "KEYS", id, {
    secret,
    ...((options.derive ?? (await asksDerive(options.yes))) && { derive: true }),
    ...(notBefore !== undefined && { notBefore }),
    ...(writeUntil !== undefined && { writeUntil }),
  });
  await add(options, {
    ...addition,
    secret: { name: secret, value: freshKey(), isKey: true },
    ...(buckets.length > 0 && { firstKey: { key: id, buckets } }),
  });
}

interface CallerOptions extends AddOptions {
  readonly bucket?: string;
  readonly prefix: string;
  readonly allow: readonly string[];
  readonly maxBytes?: number;
  readonly maxExpiresIn?: number;
  readonly contentType?: readonly string[];
  readonly issuer?: string;
  readonly audience?: string;
  readonly jwks?: string;
}

export async function addCaller(name: string, options: CallerOptions): Promise<void> {
  const there = tablesAt(options);
  if (name === "") throw new Error("the caller's name must not be empty");
  if (printable(name) !== name) throw new Error(`the caller's name ${UNPRINTABLE_NAME}`);
  refuseThere(there, { table: "CALLERS", id: name });
  const {
    prefix,
    allow,
    maxBytes,
    maxExpiresIn,
    contentType: contentTypes,
    issuer,
    audience,
    jwks,
  } = options;
  const grant = given({
    bucket: oneOf(there, "BUCKETS", options.bucket, "--bucket"),
    prefix,
    allow,
    maxExpiresIn,
    maxBytes,
    contentTypes,
  });
  const isByToken = [issuer, audience, jwks].every((each) => each === undefined);
  const token = isByToken ? freeSecret(tokenSecret(name), there) : undefined;
  const row = { ...given({ token, issuer, audience, jwks }), grants: [grant] };
  await add(options, {
    ...newRow(there, "CALLERS", name, row),
    ...(token !== undefined && { secret: { name: token, value: freshToken(), isKey: false } }),
  });
}

function newRow(there: Tables, table: TableName, id: string, row: Row): Addition {
  refuseThere(there, { table, id });
  return { row: { table, id }, add: { [table]: { [id]: row } } };
}

function refuseThere(there: Tables, { table, id }: RowName): void {
  if (Object.hasOwn(there[table], id))
    throw new Error(`${table}.${id} is there already: take another name, or change it in the file`);
}

/** A row that is there. @throws when it is not, or when there are several and none is named */
function oneOf(there: Tables, table: TableName, wanted: string | undefined, flag: string): string {
  const ids = Object.keys(there[table]);
  const id = wanted ?? (ids.length === 1 ? ids[0] : undefined);
  if (id !== undefined && ids.includes(id)) return id;
  const have = ids.length > 0 ? `have: ${ids.join(", ")}` : `there is none yet`;
  throw new Error(
    wanted === undefined
      ? `say which of ${table} with ${flag} (${have})`
      : `no "${wanted}" in ${table} (${have})`,
  );
}

/** Two keys of one secret would be one. */
function refuseTaken(there: Tables, secret: string): void {
  if (freeSecret(secret, there) !== secret)
    throw new Error(`the secret ${secret} is another's already: take another id`);
}

function given(fields: Row): Row {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
