/**
 * Of the AWS SDK what is used. It is imported as a whole when it is first used, and a bundler keeps of such an import
 * all that it could give.
 */
export {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  S3Client,
} from "@aws-sdk/client-s3";
