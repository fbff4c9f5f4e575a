/** ListObjectVersions: every version and delete marker, by key and then the newest first. */
import { answer, type Call, limitOf } from "./call.ts";
import { compareKeys } from "./database.ts";
import { S3Error } from "./errors.ts";
import { encodingOf, entryOf } from "./list.ts";
import { orderIn } from "./order.ts";
import { OWNER } from "./owner.ts";
import { pageOf } from "./page.ts";
import type { ObjectRow } from "./rows.ts";
import { refuseSse } from "./ssec.ts";
import { versionIdOf } from "./versions.ts";
import { xml } from "./xml.ts";

export async function listObjectVersions(call: Call): Promise<void> {
  refuseSse(call.headers, "by a listing");
  const { query, bucket, store } = call;
  const shown = encodingOf(call);
  const { prefix = "", delimiter = "", "key-marker": keyMarker = "" } = query;
  const versionMarker = query["version-id-marker"] ?? "";
  if (versionMarker !== "" && keyMarker === "")
    throw new S3Error("InvalidArgument", "A version-id marker cannot be specified without a key marker.");
  const marked = versionMarker === "" ? undefined : versionIdOf({ query: { versionId: versionMarker } });
  const order = marked && (store.database.version(bucket, keyMarker, marked)?.order ?? orderIn(marked));
  const limit = limitOf(call, "max-keys");
  const from = compareKeys(keyMarker, prefix) > 0 ? keyMarker : prefix;
  const versions = withLatest(store.database.versions(bucket, from));
  const { rows, prefixes, last } = pageOf(
    versions.filter((row) => isAfter(row, keyMarker, order || undefined)),
    { prefix, delimiter, limit, isBefore: (_, folded) => folded !== undefined && folded === keyMarker },
  );
  const next =
    last === undefined
      ? undefined
      : typeof last === "string"
        ? { NextKeyMarker: shown(last) }
        : { NextKeyMarker: shown(last.key), NextVersionIdMarker: last.version };
  const entries = rows.map((row) => {
    const { Key, LastModified, ...more } = entryOf(row, shown, false);
    const common = { Key, VersionId: row.version, IsLatest: row.isLatest, LastModified, Owner: OWNER };
    return row.isMarker ? common : { ...more, ...common };
  });
  answer(
    call,
    200,
    {},
    xml("ListVersionsResult", {
      Name: bucket,
      Prefix: shown(prefix),
      KeyMarker: shown(keyMarker),
      VersionIdMarker: versionMarker,
      ...next,
      MaxKeys: limit,
      ...(delimiter !== "" && { Delimiter: shown(delimiter) }),
      ...(query["encoding-type"] && { EncodingType: "url" }),
      IsTruncated: next !== undefined,
      Version: entries.filter((_, i) => rows[i]?.isMarker === false),
      DeleteMarker: entries.filter((_, i) => rows[i]?.isMarker === true),
      CommonPrefixes: prefixes.map((one) => ({ Prefix: shown(one) })),
    }),
  );
}

type Listed = ObjectRow & { readonly isLatest: boolean };

function* withLatest(rows: Iterable<ObjectRow>): Generator<Listed> {
  let previous: string | undefined;
  for (const row of rows) {
    yield { ...row, isLatest: row.key !== previous };
    previous = row.key;
  }
}

/** Whether a version comes after a key, or after one of its versions, which may have gone since. */
function isAfter(row: ObjectRow, keyMarker: string, order: number | undefined): boolean {
  const compared = compareKeys(row.key, keyMarker);
  return keyMarker === "" || compared > 0 || (compared === 0 && order !== undefined && row.order < order);
}
