/**
 * The checksums that an object may carry: which there are, how a request names one, how parts' become the object's.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
import { createHash } from "node:crypto";
import {
  type Crc,
  combineCrc32,
  combineCrc32c,
  combineCrc64Nvme,
  newCrc32,
  newCrc32c,
  newCrc64Nvme,
} from "./crc.ts";
import { S3Error } from "./errors.ts";
import type { Named } from "./ssec.ts";

export interface Digest {
  update(chunk: Uint8Array): void;
  base64(): string;
}

type Combine = (first: bigint, second: bigint, length: number) => bigint;

interface Kind {
  /** Bytes of the digest. */
  readonly bytes: number;
  readonly digest: () => Digest;
  /** Where the checksum of a whole can be told from those of its parts. */
  readonly combine?: Combine;
  readonly types: readonly ChecksumType[];
}

export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** The type named first is the one that a multipart upload has when it names none. */
const KINDS = {
  CRC32: crc(4, newCrc32, combineCrc32, ["COMPOSITE", "FULL_OBJECT"]),
  CRC32C: crc(4, newCrc32c, combineCrc32c, ["COMPOSITE", "FULL_OBJECT"]),
  CRC64NVME: crc(8, newCrc64Nvme, combineCrc64Nvme, ["FULL_OBJECT"]),
  SHA1: { bytes: 20, digest: () => hashDigest("sha1"), types: ["COMPOSITE"] },
  SHA256: { bytes: 32, digest: () => hashDigest("sha256"), types: ["COMPOSITE"] },
} as const satisfies Record<string, Kind>;

export type Algorithm = keyof typeof KINDS;

export const ALGORITHMS = Object.keys(KINDS) as Algorithm[];

export interface Checksum {
  readonly algorithm: Algorithm;
  /** Base64; of a composite one with `-` and the number of parts. */
  readonly value: string;
  readonly type: ChecksumType;
}

/** A part's has no type. */
export type PartChecksum = Pick<Checksum, "algorithm" | "value">;

const kindOf = (algorithm: Algorithm): Kind => KINDS[algorithm];
const headerOf = (algorithm: Algorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`;
/** As XML and GetObjectAttributes name it. */
export const elementOf = (algorithm: Algorithm) => `Checksum${algorithm}`;

export const newDigest = (algorithm: Algorithm): Digest => kindOf(algorithm).digest();

/** What a request says of its body. */
export interface Claim {
  readonly algorithm: Algorithm;
  /** Undefined when it comes after the body. */
  readonly value: string | undefined;
}

/** @throws {S3Error} InvalidRequest unless at most one checksum is claimed, and that is well-formed */
export function claimedChecksum(named: Named, trailer?: string): Claim | undefined {
  const values = Object.keys(named).filter(isValue);
  const [name = trailer, ...others] = values;
  const announced = named["x-amz-sdk-checksum-algorithm"]?.toString();
  if (others.length > 0 || (values.length > 0 && trailer !== undefined)) {
    throw invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  }
  if (name === undefined) {
    if (announced === undefined) return undefined;
    throw invalid(
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  }
  const algorithm = ALGORITHMS.find((one) => headerOf(one) === name);
  if (algorithm === undefined) {
    throw new S3Error("NotImplemented", `${name} is not implemented: send one of ${ALGORITHMS.join(", ")}.`);
  }
  if (announced !== undefined && announced.toUpperCase() !== algorithm)
    throw invalid("Value for x-amz-sdk-checksum-algorithm header is invalid.");
  const value = named[name]?.toString();
  if (values.length > 0 && !isDigest(algorithm, value)) throw invalid(`Value for ${name} header is invalid.`);
  return { algorithm, value };
}

/** Headers that hold a checksum; three more have the prefix and do not. */
function isValue(name: string): boolean {
  return /^x-amz-checksum-(?!algorithm$|type$|mode$)/.test(name);
}

export function isDigest(algorithm: Algorithm, value: string | undefined): boolean {
  const bytes = Buffer.from(value ?? "", "base64");
  return bytes.length === kindOf(algorithm).bytes && bytes.toString("base64") === value;
}

/** @throws {S3Error} BadDigest */
export function checkDigest(algorithm: Algorithm, given: string | undefined, computed: string): void {
  if (given === computed) return;
  throw new S3Error("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
}

/** What x-amz-checksum-algorithm and x-amz-checksum-type ask of a multipart upload or of a copy. */
export function chosenAlgorithm(named: Named): { algorithm: Algorithm; type: ChecksumType } | undefined {
  const name = named["x-amz-checksum-algorithm"]?.toString().toUpperCase();
  const type = named["x-amz-checksum-type"]?.toString().toUpperCase();
  if (name === undefined) {
    if (type === undefined) return undefined;
    throw invalid(
      "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
    );
  }
  const algorithm = ALGORITHMS.find((one) => one === name);
  if (algorithm === undefined) {
    throw invalid(
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [" +
        `${ALGORITHMS.join(", ")}]`,
    );
  }
  const { types } = kindOf(algorithm);
  const chosen = type === undefined ? types[0] : types.find((one) => one === type);
  if (chosen !== undefined) return { algorithm, type: chosen };
  throw invalid(
    type === "FULL_OBJECT" || type === "COMPOSITE"
      ? `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`
      : "Value for x-amz-checksum-type header is invalid.",
  );
}

/** The whole object's checksum, of its parts' in their order. */
export function ofParts(
  algorithm: Algorithm,
  type: ChecksumType,
  parts: readonly { readonly value: string; readonly size: number }[],
): Checksum {
  const bytes = parts.map(({ value }) => Buffer.from(value, "base64"));
  if (type === "COMPOSITE") {
    const digest = newDigest(algorithm);
    for (const each of bytes) digest.update(each);
    return { algorithm, type, value: `${digest.base64()}-${parts.length}` };
  }
  const { combine, bytes: width } = kindOf(algorithm);
  if (combine === undefined) throw new Error(`${algorithm} cannot be combined`);
  const whole = bytes
    .map((each, i) => ({ sum: BigInt(`0x${each.toString("hex")}`), size: parts[i]?.size ?? 0 }))
    .reduce((a, b) => ({ sum: combine(a.sum, b.sum, b.size), size: a.size + b.size }));
  return { algorithm, type, value: base64Of(whole.sum, width) };
}

/** What an answer says of a checksum. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  const { algorithm, value, type } = checksum;
  return { [headerOf(algorithm)]: value, "x-amz-checksum-type": type };
}

export function checksumElements(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  const { algorithm, value, type } = checksum;
  return { [elementOf(algorithm)]: value, ChecksumType: type };
}

export function partElements(checksum: PartChecksum | undefined): Record<string, string> {
  return checksum === undefined ? {} : { [elementOf(checksum.algorithm)]: checksum.value };
}

export function partHeaders(checksum: PartChecksum | undefined): Record<string, string> {
  return checksum === undefined ? {} : { [headerOf(checksum.algorithm)]: checksum.value };
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidRequest", message);
}

function crc(bytes: 4 | 8, make: () => Crc, combine: Combine, types: readonly ChecksumType[]): Kind {
  const digest = () => {
    const sum = make();
    return { update: sum.update, base64: () => base64Of(sum.digest(), bytes) };
  };
  return { bytes, digest, combine, types };
}

function base64Of(sum: bigint, bytes: number): string {
  return Buffer.from(sum.toString(16).padStart(bytes * 2, "0"), "hex").toString("base64");
}

export function hashDigest(name: "md5" | "sha1" | "sha256"): Digest {
  const hash = createHash(name);
  return { update: (chunk) => void hash.update(chunk), base64: () => hash.digest("base64") };
}
