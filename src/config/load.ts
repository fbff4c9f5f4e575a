/** `[vars]` in, one typed and validated Config out, or every mistake in one go. */

import type * as v from "valibot";
import { PLAIN, UNKNOWN } from "../keys/no-key.ts";
import type { KeyRule } from "../keys/ring.ts";
import type { FieldError } from "../refused.ts";
import { check, joinPath } from "../validation.ts";
import {
  type Addressing,
  type AuditMode,
  allowedOrigins,
  auditDays,
  auditMode,
  bucketTable,
  callerTable,
  defaultExpiresIn,
  KEY_ID,
  keyTable,
  type Permission,
  s3Hosts,
  storeTable,
} from "./schema.ts";
import { type Entry, gatherTable, type Table } from "./tables.ts";

/** Where objects live. Credentials are names of bound secrets. */
export interface Store {
  readonly name: string;
  readonly endpoint: string;
  readonly region: string;
  readonly addressing: Addressing;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** False where the store takes x-amz-* headers that are not signed: nobody gets a presigned write then. */
  readonly presignedUploads?: boolean | undefined;
  /** What it has to answer a look-up, seconds; other limits follow from it. */
  readonly timeLimit?: number | undefined;
}

export interface Bucket {
  /** What callers call it. */
  readonly name: string;
  /** What its store calls it. */
  readonly storeBucket: string;
  readonly store: Store;
  /** In the operator's order: the first that may write now writes, all read. */
  readonly keys: readonly KeyRule[];
  /** After how long its writing key is to be followed by another, milliseconds. */
  readonly rotateEvery?: number | undefined;
}

export interface Grant {
  readonly bucket: string;
  /** May name claims: `users/{sub}/`. */
  readonly prefix: string;
  readonly allow: readonly Permission[];
  /** Seconds. */
  readonly maxExpiresIn: number;
  readonly maxBytes?: number | undefined;
  readonly contentTypes?: readonly string[] | undefined;
}

/** A partner with a token. */
export interface TokenCaller {
  readonly name: string;
  /** Name of the bound secret that holds the token. */
  readonly token: string;
  readonly grants: readonly Grant[];
}

/** The users of an app, who bring a JWT. */
export interface JwtCaller {
  readonly name: string;
  readonly issuer: string;
  /** Without one only tokens count that name no audience either. */
  readonly audience?: string | undefined;
  /** Claims, by name, that must have exactly these values. */
  readonly require?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Where the issuer publishes its keys. */
  readonly jwks: string;
  readonly grants: readonly Grant[];
}

export interface Config {
  readonly stores: ReadonlyMap<string, Store>;
  readonly keys: ReadonlyMap<string, KeyRule>;
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly tokenCallers: readonly TokenCaller[];
  readonly jwtCallers: readonly JwtCaller[];
  readonly allowedOrigins: readonly string[];
  /** Where the Worker speaks S3 and nothing else, in small letters. */
  readonly s3Hosts: readonly string[];
  /** Seconds. */
  readonly defaultExpiresIn: number;
  readonly audit: AuditMode;
  /** How long events are kept. */
  readonly auditDays: number;
}

/** Everything that is wrong with the configuration, for the operator alone. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly errors: readonly FieldError[];

  constructor(errors: readonly FieldError[]) {
    super(errors.map(({ path, message }) => `${path}: ${message}`).join("\n"));
    this.errors = errors;
  }
}

/**
 * Reads the configuration out of a Worker's environment. Secrets are not touched.
 *
 * @throws {ConfigError} with one line per mistake, e.g. `BUCKETS.media.keys[1]: no key "k9" in KEYS (have: k1, k2)`
 */
export function loadConfig(env: Readonly<Record<string, unknown>>): Config {
  const errors: FieldError[] = [];

  const report = (path: string, message: string): void => void errors.push({ path, message });

  const storeTables = gatherTable(env, "STORES", errors);
  const stores = readTable(
    storeTables,
    () => storeTable,
    errors,
    (name, row): Store => ({ name, ...row }),
  );

  const keyTables = gatherTable(env, "KEYS", errors);
  const keys = readTable(
    keyTables,
    () => keyTable,
    errors,
    (id, row): KeyRule => ({ id, ...row }),
  );
  for (const [id, { path }] of keyTables) {
    if (!KEY_ID.test(id)) report(path, "a key's id is 1 to 64 of A-Z a-z 0-9 . _ -");
    if (id === PLAIN || id === UNKNOWN)
      report(
        path,
        `a key cannot be named "${id}": counts of objects by key mean objects without a known one by it`,
      );
  }

  // What is there but wrong has been reported in its own place, and is a known name all the same.
  const addressing = new Map(
    [...storeTables.keys()].map((name) => [name, stores.get(name)?.addressing ?? "virtual"]),
  );
  const bucketTables = gatherTable(env, "BUCKETS", errors);
  const bucketSchema = (name: string) => bucketTable(name, addressing, keyTables.keys());
  const buckets = readTable(bucketTables, bucketSchema, errors, (name, row): Bucket | undefined => {
    const store = stores.get(row.store);
    const rules = row.keys.map((id) => keys.get(id)).filter((rule) => rule !== undefined);
    const { rotateEvery } = row;
    return store && { name, storeBucket: row.name ?? name, store, keys: rules, rotateEvery };
  });

  const callerTables = gatherTable(env, "CALLERS", errors);
  const callerSchema = callerTable(bucketTables.keys());
  const callers = readTable(
    callerTables,
    () => callerSchema,
    errors,
    (name, row): TokenCaller | JwtCaller => ({ name, ...row }),
  );
  const jwtCallers = [...callers.values()].filter((caller) => "issuer" in caller);
  for (const [i, caller] of jwtCallers.entries()) {
    const twin = jwtCallers.slice(0, i).find((other) => demandTheSame(caller, other));
    if (twin)
      report(
        callerTables.get(caller.name)?.path ?? "",
        `has the issuer, audience and require of CALLERS.${twin.name}`,
      );
  }

  const one = <T>(name: string, schema: v.GenericSchema<unknown, T>, otherwise: T): T => {
    if (env[name] === undefined) return otherwise;
    return checkAt({ path: name, value: env[name] }, schema, errors) ?? otherwise;
  };
  const origins = one("ALLOWED_ORIGINS", allowedOrigins, []);
  const hosts = one("S3_HOSTS", s3Hosts, []);
  const expiresIn = one("DEFAULT_EXPIRES_IN", defaultExpiresIn, 900);
  const audit = one("AUDIT", auditMode, "relaxed");
  const days = one("AUDIT_DAYS", auditDays, 400);
  if (audit === "strict" && env.QUEUE === undefined) {
    report("AUDIT", 'is "strict", which needs a queue bound as QUEUE');
  }

  for (const [name, table] of Object.entries({
    STORES: storeTables,
    KEYS: keyTables,
    BUCKETS: bucketTables,
  })) {
    if (table.size === 0) report(name, "is missing: there is nothing to serve");
  }
  if (errors.length > 0) throw new ConfigError(errors);
  return {
    stores,
    keys,
    buckets,
    tokenCallers: [...callers.values()].filter((caller) => "token" in caller),
    jwtCallers,
    allowedOrigins: origins,
    s3Hosts: hosts,
    defaultExpiresIn: expiresIn,
    audit,
    auditDays: days,
  };
}

/** Whether any token that fits one of two callers fits the other as well. */
function demandTheSame(a: JwtCaller, b: JwtCaller): boolean {
  const asEntries = ({ require = {} }: JwtCaller) => JSON.stringify(Object.entries(require).sort());
  return a.issuer === b.issuer && a.audience === b.audience && asEntries(a) === asEntries(b);
}

/** Every entry of a table that fits its schema, built; what does not fit, or cannot be built, is left out. */
function readTable<Row, Built>(
  table: Table,
  schemaOf: (name: string) => v.GenericSchema<unknown, Row>,
  errors: FieldError[],
  build: (name: string, row: Row) => Built | undefined,
): Map<string, Built> {
  const built = new Map<string, Built>();
  for (const [name, entry] of table) {
    const row = checkAt(entry, schemaOf(name), errors);
    const result = row && build(name, row);
    if (result !== undefined) built.set(name, result);
  }
  return built;
}

function checkAt<T>(entry: Entry, schema: v.GenericSchema<unknown, T>, errors: FieldError[]): T | undefined {
  const checked = check(schema, entry.value);
  if (checked.ok) return checked.value;
  errors.push(
    ...checked.errors.map(({ path, message }) => ({
      path:
        path === "" ? entry.path : path.startsWith("[") ? `${entry.path}${path}` : joinPath(entry.path, path),
      message,
    })),
  );
  return undefined;
}
