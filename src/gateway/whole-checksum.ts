/**
 * The checksum of a whole upload in parts, as clients send it at the end: one of the checksums of its parts (COMPOSITE), or
 * one of all bytes (FULL_OBJECT), which for a CRC follows from those of the parts. Stores do not get it, for they have not
 * got those of the parts either: each of these was held against its part on the way.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
import { Digests } from "../edge/digests.ts";
import { type Joinable, joinedCrc } from "../hash/crc-joined.ts";
import { Refused } from "../refused.ts";
import { type elementsOf, textOf } from "../s3/store/xml.ts";
import { S3Fault } from "./faults.ts";

type Element = ReturnType<typeof elementsOf>[number];

interface Kind {
  /** What each part of the document has it in. */
  readonly element: string;
  readonly isComposite: boolean;
  /** Where it can be made of those of the parts for the whole. */
  readonly joinable?: Joinable;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "x-amz-checksum-crc32": { element: "ChecksumCRC32", isComposite: true, joinable: "crc32" },
  "x-amz-checksum-crc32c": { element: "ChecksumCRC32C", isComposite: true, joinable: "crc32c" },
  "x-amz-checksum-crc64nvme": { element: "ChecksumCRC64NVME", isComposite: false, joinable: "crc64nvme" },
  "x-amz-checksum-sha1": { element: "ChecksumSHA1", isComposite: true },
  "x-amz-checksum-sha256": { element: "ChecksumSHA256", isComposite: true },
};
const TYPE = "x-amz-checksum-type";

export const WHOLE_CHECKSUMS = Object.keys(KINDS);
export const WHOLE_HEADERS = [...WHOLE_CHECKSUMS, TYPE];

/**
 * Holds such checksums against those that the parts of the document are said to have.
 *
 * @returns what is left to be held against the lengths of the parts, which the store knows
 * @throws {Refused} invalid-request: it is another, or a part has none
 * @throws {S3Fault} InvalidRequest for a type that there is not
 */
export function checkWhole(
  headers: Headers,
  parts: readonly Element[],
): (lengths: readonly number[]) => void {
  const type = headers.get(TYPE);
  const given = Object.entries(KINDS).flatMap(([header, kind]) => {
    const value = headers.get(header);
    return value === null ? [] : [{ header, value, kind, ofParts: checksumsOf(parts, header, kind) }];
  });
  const whole = given.filter(({ value, kind, header, ofParts }) => {
    if (isWhole(type, value, kind)) return true;
    checkComposite(header, value, ofParts);
    return false;
  });
  return (lengths) => {
    for (const { header, value, kind, ofParts } of whole)
      if (kind.joinable !== undefined) checkJoined(kind.joinable, header, value, ofParts, lengths);
  };
}

/** S3 itself writes the number of parts behind one of checksums. */
const COUNT = /-\d+$/;

function isWhole(type: string | null, value: string, { isComposite, joinable }: Kind): boolean {
  const fault = (what: string) => new S3Fault("InvalidRequest", `${TYPE}: ${what}.`);
  if (type !== null && type !== "FULL_OBJECT" && type !== "COMPOSITE") throw fault("there is no such type");
  const isFull = type === "FULL_OBJECT" || (type === null && !isComposite);
  if (isFull && joinable === undefined) throw fault("FULL_OBJECT is for CRCs");
  if (!isFull && !isComposite) throw fault("CRC64NVME is of the whole");
  if (isFull && COUNT.test(value)) throw fault("a checksum of the whole has no number of parts");
  return isFull;
}

function checksumsOf(parts: readonly Element[], header: string, { element }: Kind): Buffer[] {
  return parts.map((part) => {
    const ofPart = textOf(part, element)?.trim();
    if (!ofPart) throw Refused.field(header, `must come with the ${element} of each part`);
    return Buffer.from(ofPart, "base64");
  });
}

function checkComposite(header: string, value: string, ofParts: readonly Buffer[]): void {
  const digests = new Digests(new Headers({ [header]: value.replace(COUNT, "") }));
  for (const ofPart of ofParts) digests.update(ofPart);
  digests.verify();
}

function checkJoined(
  name: Joinable,
  header: string,
  value: string,
  ofParts: readonly Buffer[],
  lengths: readonly number[],
): void {
  const bytes = name === "crc64nvme" ? 8 : 4;
  const whole = Buffer.from(value, "base64");
  if ([whole, ...ofParts].some(({ length }) => length !== bytes))
    throw Refused.field(header, `must be base64 of ${bytes} bytes, as that of each part`);
  const pieces = ofParts.map((crc, i) => ({ crc: numberOf(crc), length: lengths[i] ?? 0 }));
  if (joinedCrc(name, pieces) !== numberOf(whole))
    throw Refused.mismatch([header], "is not that of the parts");
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}
