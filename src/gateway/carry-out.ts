/** What is done for each operation. */
import { bucketLocation, createBucket, headBucket, listBuckets } from "./buckets.ts";
import type { Call } from "./call.ts";
import { copyObject } from "./copy-object.ts";
import { deleteObjects } from "./delete-objects.ts";
import { listObjects } from "./list-objects.ts";
import { listUploads } from "./list-uploads.ts";
import type { GatewayOperation } from "./operations.ts";
import { objectAttributes, readObject } from "./read-object.ts";
import { deleteTags, getTags, putTags } from "./tagging.ts";
import { abort, complete, createUpload, listParts, uploadPart, uploadPartCopy } from "./uploads.ts";
import { deleteObject, putObject } from "./write-object.ts";

const WORK: Readonly<Record<GatewayOperation, (call: Call) => Promise<Response>>> = {
  ListBuckets: listBuckets,
  HeadBucket: headBucket,
  CreateBucket: createBucket,
  GetBucketLocation: bucketLocation,
  ListObjects: listObjects,
  ListObjectsV2: listObjects,
  ListMultipartUploads: listUploads,
  GetObject: readObject,
  HeadObject: readObject,
  GetObjectAttributes: objectAttributes,
  PutObject: putObject,
  CopyObject: copyObject,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  CreateMultipartUpload: createUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  ListParts: listParts,
  CompleteMultipartUpload: complete,
  AbortMultipartUpload: abort,
  GetObjectTagging: getTags,
  PutObjectTagging: putTags,
  DeleteObjectTagging: deleteTags,
};

export function carryOut(call: Call): Promise<Response> {
  return WORK[call.operation](call);
}
