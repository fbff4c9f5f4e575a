/**
 * What a link of the edge says of the upload that it takes, where S3 has no way to say it: parameters of its query, which
 * is signed. Headers would have to be sent by whoever uses the link, which `curl -T` and browsers do not by themselves.
 */

/** The most that the body may have, bytes. */
export const MAX_BYTES = "x-ssec-max-bytes";
/** What the object is, whether its uploader says so or says nothing. */
export const CONTENT_TYPE = "x-ssec-content-type";
