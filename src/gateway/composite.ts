/**
 * The checksum of an upload in parts that is made of those of its parts, as minio-go and others send it at the end. Stores
 * do not get it, for they have not got those of the parts either: each of these was held against its part on the way.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
import { Buffer } from "node:buffer";
import { Digests } from "../edge/digests.ts";
import { Refused } from "../refused.ts";
import { type elementsOf, textOf } from "../s3/store/xml.ts";

type Element = ReturnType<typeof elementsOf>[number];

/** Those of which there is one of checksums; of CRC64NVME there is not. */
const PART_ELEMENTS: Readonly<Record<string, string>> = {
  "x-amz-checksum-crc32": "ChecksumCRC32",
  "x-amz-checksum-crc32c": "ChecksumCRC32C",
  "x-amz-checksum-sha1": "ChecksumSHA1",
  "x-amz-checksum-sha256": "ChecksumSHA256",
};

export const COMPOSITE_HEADERS = Object.keys(PART_ELEMENTS);

/**
 * Holds such a checksum against those that the parts of the document are said to have.
 *
 * @throws {Refused} invalid-request: it is another, or a part has none
 */
export function checkComposite(headers: Headers, parts: readonly Element[]): void {
  for (const [header, element] of Object.entries(PART_ELEMENTS)) {
    const value = headers.get(header);
    if (value === null) continue;
    // S3 itself writes it with the number of parts behind it.
    const digests = new Digests(new Headers({ [header]: value.replace(/-\d+$/, "") }));
    for (const part of parts) {
      const ofPart = textOf(part, element)?.trim();
      if (!ofPart) throw Refused.field(header, `must come with the ${element} of each part`);
      digests.update(Buffer.from(ofPart, "base64"));
    }
    digests.verify();
  }
}
