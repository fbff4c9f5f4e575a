/**
 * METHOD and the query parameter that makes it another operation, for the service, a bucket and an object; with what a
 * bucket policy calls it, and what it calls it of one version.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
import { getAcl, putAcl } from "./acl.ts";
import * as buckets from "./buckets.ts";
import type { Call } from "./call.ts";
import { deleteObject, deleteObjects } from "./delete-object.ts";
import { S3Error } from "./errors.ts";
import { getObject } from "./get-object.ts";
import { listObjects } from "./list.ts";
import { listMultipartUploads } from "./list-uploads.ts";
import { listObjectVersions } from "./list-versions.ts";
import * as multipart from "./multipart.ts";
import { getObjectAttributes } from "./object-attributes.ts";
import * as lock from "./object-lock.ts";
import { listParts, uploadPart } from "./parts.ts";
import type { Action } from "./policy.ts";
import { putObject } from "./put-object.ts";
import * as tagging from "./tagging.ts";
import type { Target } from "./target.ts";
import { getBucketVersioning, putBucketVersioning } from "./versioning.ts";

type Handler = (call: Call) => Promise<void>;

export interface Operation {
  readonly handler: Handler;
  /** Undefined: the handler authorizes what it does. */
  readonly action: Action | undefined;
}

type Entry = readonly [Handler, Action | undefined, ofVersion?: Action];

const OPERATIONS: Readonly<Record<"service" | "bucket" | "object", Readonly<Record<string, Entry>>>> = {
  service: { GET: [buckets.listBuckets, "s3:ListAllMyBuckets"] },
  bucket: {
    PUT: [buckets.createBucket, "s3:CreateBucket"],
    HEAD: [buckets.headBucket, "s3:ListBucket"],
    DELETE: [buckets.deleteBucket, "s3:DeleteBucket"],
    GET: [listObjects, "s3:ListBucket"],
    "GET location": [buckets.getBucketLocation, "s3:GetBucketLocation"],
    "GET uploads": [listMultipartUploads, "s3:ListBucketMultipartUploads"],
    "GET versions": [listObjectVersions, "s3:ListBucketVersions"],
    // Each of its keys is authorized by itself.
    "POST delete": [deleteObjects, undefined],
    "GET versioning": [getBucketVersioning, "s3:GetBucketVersioning"],
    "PUT versioning": [putBucketVersioning, "s3:PutBucketVersioning"],
    "GET object-lock": [lock.getObjectLockConfiguration, "s3:GetBucketObjectLockConfiguration"],
    "PUT object-lock": [lock.putObjectLockConfiguration, "s3:PutBucketObjectLockConfiguration"],
    "GET acl": [getAcl, "s3:GetBucketAcl"],
    "PUT acl": [putAcl, "s3:PutBucketAcl"],
    "PUT cors": [buckets.putBucketCors, "s3:PutBucketCORS"],
    "GET cors": [buckets.getBucketCors, "s3:GetBucketCORS"],
    "DELETE cors": [buckets.deleteBucketCors, "s3:PutBucketCORS"],
    "PUT policy": [buckets.putBucketPolicy, "s3:PutBucketPolicy"],
    "GET policy": [buckets.getBucketPolicy, "s3:GetBucketPolicy"],
    "DELETE policy": [buckets.deleteBucketPolicy, "s3:DeleteBucketPolicy"],
  },
  object: {
    PUT: [putObject, "s3:PutObject"],
    GET: [getObject, "s3:GetObject", "s3:GetObjectVersion"],
    HEAD: [getObject, "s3:GetObject", "s3:GetObjectVersion"],
    DELETE: [deleteObject, "s3:DeleteObject", "s3:DeleteObjectVersion"],
    "GET attributes": [getObjectAttributes, "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"],
    "GET tagging": [tagging.getObjectTagging, "s3:GetObjectTagging", "s3:GetObjectVersionTagging"],
    "PUT tagging": [tagging.putObjectTagging, "s3:PutObjectTagging", "s3:PutObjectVersionTagging"],
    "DELETE tagging": [
      tagging.deleteObjectTagging,
      "s3:DeleteObjectTagging",
      "s3:DeleteObjectVersionTagging",
    ],
    "GET retention": [lock.getObjectRetention, "s3:GetObjectRetention", "s3:GetObjectRetention"],
    "PUT retention": [lock.putObjectRetention, "s3:PutObjectRetention", "s3:PutObjectRetention"],
    "GET legal-hold": [lock.getObjectLegalHold, "s3:GetObjectLegalHold", "s3:GetObjectLegalHold"],
    "PUT legal-hold": [lock.putObjectLegalHold, "s3:PutObjectLegalHold", "s3:PutObjectLegalHold"],
    "GET acl": [getAcl, "s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
    "PUT acl": [putAcl, "s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
    "POST uploads": [multipart.createMultipartUpload, "s3:PutObject"],
    "PUT uploadId": [uploadPart, "s3:PutObject"],
    "GET uploadId": [listParts, "s3:ListMultipartUploadParts"],
    "POST uploadId": [multipart.completeMultipartUpload, "s3:PutObject"],
    "DELETE uploadId": [multipart.abortMultipartUpload, "s3:AbortMultipartUpload"],
  },
};

/** Query parameters that select an operation, known to the store or not. */
const SELECTORS =
  /^(abac|accelerate|acl|analytics|annotation|attributes|cors|delete|encryption|intelligent-tiering|inventory|legal-hold|lifecycle|location|logging|metadataConfiguration|metadataTable|metrics|notification|object-lock|ownershipControls|policy|policyStatus|publicAccessBlock|renameObject|replication|requestPayment|restore|retention|select|session|tagging|torrent|uploadId|uploads|versioning|versions|website)$/;

/** @throws {S3Error} MethodNotAllowed, NotImplemented; InvalidArgument for a version where there is none */
export function operationOf({ method, bucket, key, query }: Target): Operation {
  const level = bucket === "" ? "service" : key === "" ? "bucket" : "object";
  const selectors = Object.keys(query).filter((name) => SELECTORS.test(name));
  const [selector] = selectors;
  if (selectors.length > 1) {
    throw new S3Error("InvalidArgument", `Conflicting query string parameters: ${selectors.join(", ")}`, {
      ArgumentName: "ResourceType",
      ArgumentValue: selector ?? "",
    });
  }
  const entry = OPERATIONS[level][selector === undefined ? method : `${method} ${selector}`];
  if (entry === undefined) {
    const isKnown = selector === undefined && /^(GET|HEAD|PUT|POST|DELETE)$/.test(method);
    throw isKnown
      ? new S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.", {
          Method: method,
          ResourceType: level.toUpperCase(),
        })
      : new S3Error("NotImplemented", "This operation is not implemented by the development store.");
  }
  const [handler, action, ofVersion] = entry;
  if (query.versionId === undefined) return { handler, action };
  if (ofVersion === undefined) {
    throw new S3Error("InvalidArgument", "This operation does not accept a version-id.", {
      ArgumentName: "versionId",
      ArgumentValue: query.versionId,
    });
  }
  return { handler, action: ofVersion };
}
