/**
 * What `init` adds to what is there. What is there stays: a key that is replaced is lost data, a token a closed door.
 * Only the tables of the example that comes with the project give way, as long as they are the example.
 */
import { isDeepStrictEqual } from "node:util";
import { gatherTable, TABLE_NAMES, type TableName } from "../../config/tables.ts";
import type { Row, RowName, Tables } from "../edit/edit.ts";
import { keySecret, tokenSecret } from "../fresh-secrets.ts";
import { type Answers, type Vars, varsOf } from "./setup.ts";

export interface Plan {
  /** Rows that go: the example's, and what was agreed to be replaced. */
  readonly drop: readonly RowName[];
  readonly add: Tables;
  /** Of a caller who is there already, and whose token stays. */
  readonly addGrant: { readonly caller: string; readonly grant: Row } | undefined;
  /** The whole list, where it changes. */
  readonly origins: readonly string[] | undefined;
  /** Rows that are there already, and stay. */
  readonly kept: readonly RowName[];
  /** Rows that are there already and say something else: by --force, or when asked, they are replaced. */
  readonly conflicts: readonly (RowName & { readonly fields: readonly string[] })[];
  /** Secrets that are to be made, unless they are on this machine: those of rows that are new. */
  readonly secrets: { readonly key?: string; readonly token?: string };
}

const NONE: Tables = { STORES: {}, KEYS: {}, BUCKETS: {}, CALLERS: {} };

/** @param vars of the environment, as they are in the configuration */
export function planOf(vars: Row, answers: Answers, isForced: boolean): Plan {
  const all = tablesIn(vars);
  const isExample = isDeepStrictEqual(shape(all), EXAMPLE);
  const there = withoutInherited(isExample ? NONE : all);
  const bucketRow = there.BUCKETS[answers.bucket];
  const keyId = "k1" in there.KEYS ? "k1" : freeKeyId(there);
  const token = freeSecret(tokenSecret(answers.caller), there);
  const wanted = varsOf(answers, { id: keyId, secret: keySecret(keyId), token });
  const isNewKey = bucketRow === undefined && !(keyId in there.KEYS);
  const callerRow = there.CALLERS[answers.caller];

  const stores = compare(there, { table: "STORES", id: answers.store.id }, wanted.STORES[answers.store.id]);
  // The keys of a bucket that is there are what opens its objects.
  const { keys: _, ...bucket } = wanted.BUCKETS[answers.bucket] ?? { keys: [] };
  const buckets = compare(there, { table: "BUCKETS", id: answers.bucket }, bucket);
  const conflicts = [stores, buckets].filter((each) => each.fields.length > 0);
  const replaced = isForced ? conflicts : [];
  const isAdded = ({ table, id }: RowName) =>
    !(id in there[table]) || replaced.some((row) => row.table === table && row.id === id);

  return {
    drop: isExample ? namesOf(all) : replaced.map(({ table, id }) => ({ table, id })),
    add: {
      STORES: isAdded(stores)
        ? { [stores.id]: { ...there.STORES[stores.id], ...wanted.STORES[stores.id] } }
        : {},
      KEYS: isNewKey ? wanted.KEYS : {},
      BUCKETS: isAdded(buckets)
        ? { [buckets.id]: { ...wanted.BUCKETS[buckets.id], ...bucketRow, ...bucket } }
        : {},
      CALLERS: callerRow === undefined ? wanted.CALLERS : {},
    },
    addGrant: callerRow && grantFor(callerRow, answers, wanted),
    origins: originsOf(vars, answers),
    kept: namesOf(wanted).filter((row) => !isAdded(row) && !(row.table === "KEYS" && isNewKey)),
    conflicts: isForced ? [] : conflicts,
    secrets: {
      ...(isNewKey && { key: keySecret(keyId) }),
      ...(callerRow === undefined && { token }),
    },
  };
}

/** Nothing is there that is not in the file, as `constructor` is in every object. */
function withoutInherited({ STORES, KEYS, BUCKETS, CALLERS }: Tables): Tables {
  const bare = (rows: Readonly<Record<string, Row>>): Record<string, Row> =>
    Object.assign(Object.create(null), rows);
  return { STORES: bare(STORES), KEYS: bare(KEYS), BUCKETS: bare(BUCKETS), CALLERS: bare(CALLERS) };
}

/** Fields of a row that is there that say something else; where there is none, no fields. */
function compare(there: Tables, row: RowName, wanted: Row = {}): RowName & { fields: string[] } {
  const before = there[row.table][row.id];
  if (before === undefined) return { ...row, fields: [] };
  const usual: Row = { addressing: "virtual", name: row.id, presignedUploads: before.presignedUploads };
  const fieldOf = (from: Row, field: string) => from[field] ?? usual[field];
  const fields = Object.keys({ name: "", ...wanted }).filter(
    (field) =>
      // Whether uploads are presigned is not decided anew.
      field !== "presignedUploads" && !isDeepStrictEqual(fieldOf(before, field), fieldOf(wanted, field)),
  );
  return { ...row, fields: row.table === "STORES" ? fields.filter((field) => field !== "name") : fields };
}

function grantFor({ grants = [] }: Row, { caller, bucket, prefix }: Answers, wanted: Vars): Plan["addGrant"] {
  const [grant] = wanted.CALLERS[caller]?.grants ?? [];
  const isThere = (grants as Row[]).some((each) => each.bucket === bucket && each.prefix === prefix);
  return isThere || grant === undefined ? undefined : { caller, grant };
}

function originsOf({ ALLOWED_ORIGINS = [] }: Row, { origins }: Answers): readonly string[] | undefined {
  if (!Array.isArray(ALLOWED_ORIGINS)) return origins.length > 0 ? origins : undefined;
  const merged = [...new Set([...(ALLOWED_ORIGINS as string[]), ...origins])];
  return merged.length === ALLOWED_ORIGINS.length ? undefined : merged;
}

/** A key's id of which neither the id nor the secret is taken. */
export function freeKeyId(there: Tables): string {
  for (let n = 1; ; n++) {
    const id = `k${n}`;
    if (!(id in there.KEYS) && freeSecret(keySecret(id), there) === keySecret(id)) return id;
  }
}

/** Two callers with one secret would be one. */
export function freeSecret(name: string, there: Tables): string {
  const taken = new Set(
    Object.values(there)
      .flatMap((rows) => Object.values(rows))
      .flatMap(({ secret, token, accessKeyId, secretAccessKey, sessionToken }) => [
        secret,
        token,
        accessKeyId,
        secretAccessKey,
        sessionToken,
      ]),
  );
  let free = name;
  for (let n = 2; taken.has(free); n++) free = `${name}_${n}`;
  return free;
}

export function tablesIn(vars: Row): Tables {
  const rowsOf = (table: TableName) =>
    Object.fromEntries([...gatherTable(vars, table, [])].map(([id, { value }]) => [id, value as Row]));
  return {
    STORES: rowsOf("STORES"),
    KEYS: rowsOf("KEYS"),
    BUCKETS: rowsOf("BUCKETS"),
    CALLERS: rowsOf("CALLERS"),
  };
}

function namesOf(tables: { readonly [table in TableName]: object }): RowName[] {
  return TABLE_NAMES.flatMap((table) => Object.keys(tables[table]).map((id) => ({ table, id })));
}

/** What the project's wrangler.toml has before anybody sets it up; the bucket's name differs by environment. */
const EXAMPLE: Tables = {
  STORES: {
    coreweave: {
      endpoint: "https://cwobject.com",
      region: "US-EAST-04A",
      accessKeyId: "CW_ACCESS_KEY_ID",
      secretAccessKey: "CW_SECRET_ACCESS_KEY",
    },
  },
  KEYS: { k1: { secret: "SSEC_K1" } },
  BUCKETS: { media: { store: "coreweave", name: "acme-media", keys: ["k1"] } },
  CALLERS: {
    acme: {
      token: "ACME_TOKEN",
      grants: [{ bucket: "media", prefix: "", allow: ["read", "write", "delete"] }],
    },
  },
};

function shape(tables: Tables): Tables {
  const { media } = tables.BUCKETS;
  if (media?.name !== "acme-media-production") return tables;
  return { ...tables, BUCKETS: { ...tables.BUCKETS, media: { ...media, name: "acme-media" } } };
}
