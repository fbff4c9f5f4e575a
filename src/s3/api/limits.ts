/**
 * The limits of S3: what no store takes more of, whatever its operator allows.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html for objects and their parts
 */

/** The most that one PUT may carry, and that one form may: 5 GiB. */
export const MAX_PUT_BYTES = 5 * 2 ** 30;

/** The least that any part but the last may have, bytes. */
export const MIN_PART_SIZE = 5 * 2 ** 20;
/** 5 GiB. */
export const MAX_PART_SIZE = 5 * 2 ** 30;
/** Parts of an upload; they are numbered from 1. */
export const MAX_PARTS = 10_000;
/** As many parts as there may be, each as large as it may be: 48.8 TiB. */
export const MAX_UPLOAD_SIZE = MAX_PART_SIZE * MAX_PARTS;

/**
 * Objects in one page of a list.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export const MAX_LISTED = 1000;
/**
 * Parts in one page of a list.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
 */
export const MAX_LISTED_PARTS = 1000;

/**
 * An object's key, bytes of UTF-8.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
export const MAX_KEY_BYTES = 1024;
/**
 * Names and values of x-amz-meta-* together, bytes.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export const MAX_METADATA_BYTES = 2048;
/**
 * Where a website's object redirects to, characters.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html
 */
export const MAX_REDIRECT_LOCATION = 2048;

/**
 * How long a presigned URL may live: one week, in seconds.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export const MAX_EXPIRES_IN = 604_800;
