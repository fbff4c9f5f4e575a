/** ListMultipartUploads: by key, and those of one key as they were begun. */
import { answer, type Call, limitOf } from "./call.ts";
import { compareKeys } from "./database.ts";
import { encodingOf } from "./list.ts";
import { OWNER } from "./owner.ts";
import { pageOf } from "./page.ts";
import type { UploadRow } from "./rows.ts";
import { refuseSse } from "./ssec.ts";
import { xml } from "./xml.ts";

export async function listMultipartUploads(call: Call): Promise<void> {
  refuseSse(call.headers, "by a listing");
  const { bucket, store, query } = call;
  const shown = encodingOf(call);
  const { prefix = "", delimiter = "", "key-marker": keyMarker = "" } = query;
  // Without a key it is ignored.
  const idMarker = keyMarker === "" ? "" : (query["upload-id-marker"] ?? "");
  const limit = limitOf(call, "max-uploads");
  const isAfter = ({ key, id }: UploadRow) => {
    const order = compareKeys(key, keyMarker);
    return keyMarker === "" || order > 0 || (order === 0 && idMarker !== "" && compareKeys(id, idMarker) > 0);
  };
  const { rows, prefixes, last } = pageOf(store.database.uploads(bucket).filter(isAfter), {
    prefix,
    delimiter,
    limit,
    isBefore: (_, folded) => folded !== undefined && folded === keyMarker,
  });
  const next =
    last === undefined
      ? undefined
      : typeof last === "string"
        ? { NextKeyMarker: shown(last), NextUploadIdMarker: "" }
        : { NextKeyMarker: shown(last.key), NextUploadIdMarker: last.id };
  answer(
    call,
    200,
    {},
    xml("ListMultipartUploadsResult", {
      Bucket: bucket,
      KeyMarker: shown(keyMarker),
      UploadIdMarker: idMarker,
      ...next,
      ...(delimiter !== "" && { Delimiter: shown(delimiter) }),
      Prefix: shown(prefix),
      MaxUploads: limit,
      ...(query["encoding-type"] && { EncodingType: "url" }),
      IsTruncated: next !== undefined,
      Upload: rows.map(({ key, id, headers, created, checksum }) => ({
        Key: shown(key),
        UploadId: id,
        Initiator: OWNER,
        Owner: OWNER,
        StorageClass: headers["x-amz-storage-class"] ?? "STANDARD",
        Initiated: new Date(created).toISOString(),
        ...(checksum && { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type }),
      })),
      CommonPrefixes: prefixes.map((one) => ({ Prefix: shown(one) })),
    }),
  );
}
