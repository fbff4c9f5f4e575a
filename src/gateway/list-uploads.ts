/**
 * ListMultipartUploads, as far as the caller's grants open the bucket for writing. Its ids are others than those that were
 * given out when the uploads began, of which nothing is kept: they show no key, so that it is looked for when one is used.
 */
import { listedUploadId, storeUploadId } from "../s3/api/upload-id.ts";
import { S3Bucket } from "../s3/store/client.ts";
import { type ListedUpload, listUploads as listStored } from "../s3/store/list-uploads.ts";
import { ownerOf } from "./buckets.ts";
import type { Call } from "./call.ts";
import { single } from "./fields.ts";
import { type AskPage, pageOver, spansOf } from "./opened.ts";
import { beyond, compareNames, namesIn, pageSize } from "./paging.ts";

export function listUploads(call: Call): Promise<Response> {
  const { operation, bucket, query, caller } = call;
  const [prefix = "", delimiter = "", keyMarker = "", uploadIdMarker = ""] = [
    ...["prefix", "delimiter", "key-marker", "upload-id-marker"],
  ].map((name) => single(query, name));
  const limit = pageSize(query, "max-uploads");
  const read = () => {
    const spans = spansOf(caller, bucket, "write", { prefix, delimiter });
    return { bucket, key: spans[0]?.prefix ?? prefix, spans };
  };
  return call.operate({ operation, permission: "write", read }, async ({ request, draft, ...use }) => {
    draft.key = prefix;
    const store = new S3Bucket(use.bucket, await use.credentials());
    const isFolded = delimiter !== "" && keyMarker.endsWith(delimiter) && keyMarker.length > prefix.length;
    const after = isFolded ? beyond(keyMarker) : keyMarker;
    const page =
      limit === 0
        ? { entries: [], prefixes: [], isMore: false }
        : await pageOver(
            request.spans,
            // Other uploads of the very key that the last page ended with come on this one.
            { delimiter, after, limit },
            asking(store, { keyMarker, uploadIdMarker: storeUploadId(uploadIdMarker) }),
          );
    const lastUpload = page.entries.at(-1);
    const lastPrefix = page.prefixes.at(-1);
    const isByPrefix = compareNames(lastPrefix ?? "", lastUpload?.key ?? "") > 0;
    const { show, encoding } = namesIn(query);
    return call.xml("ListMultipartUploadsResult", {
      Bucket: bucket,
      KeyMarker: show(keyMarker),
      UploadIdMarker: uploadIdMarker,
      ...(page.isMore && {
        NextKeyMarker: show((isByPrefix ? lastPrefix : lastUpload?.key) ?? ""),
        NextUploadIdMarker: isByPrefix || lastUpload === undefined ? "" : listedUploadId(lastUpload.uploadId),
      }),
      Prefix: show(prefix),
      ...(delimiter !== "" && { Delimiter: show(delimiter) }),
      MaxUploads: limit,
      EncodingType: encoding,
      IsTruncated: page.isMore,
      Upload: page.entries.map(({ key, uploadId, initiated, storageClass = "STANDARD" }) => ({
        Key: show(key),
        UploadId: listedUploadId(uploadId),
        Initiator: ownerOf(call),
        Owner: ownerOf(call),
        StorageClass: storageClass,
        Initiated: initiated,
      })),
      CommonPrefixes: page.prefixes.map((one) => ({ Prefix: show(one) })),
    });
  });
}

function asking(
  store: S3Bucket,
  marked: { keyMarker: string; uploadIdMarker: string },
): AskPage<ListedUpload> {
  return async ({ prefix, delimiter, after }, limit) => {
    const uploadIdMarker = after === marked.keyMarker ? marked.uploadIdMarker : "";
    const page = await listStored(store, { prefix, delimiter, keyMarker: after, uploadIdMarker, limit });
    return { entries: page.uploads, prefixes: page.prefixes, isMore: page.isMore };
  };
}
