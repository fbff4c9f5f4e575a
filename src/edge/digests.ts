/** What the body of an upload is promised to be, and whether it is: hashed on its way, whatever the store checks. */
import { type Checksum, Crc32, Crc32c, Crc64Nvme } from "../hash/crc.ts";
import { type FieldError, Refused } from "../refused.ts";

const { createHash } = process.getBuiltinModule("node:crypto");

const hash = (name: string) => (): Checksum => createHash(name);

const ALGORITHMS = {
  md5: { bytes: 16, begin: hash("md5") },
  sha1: { bytes: 20, begin: hash("sha1") },
  sha256: { bytes: 32, begin: hash("sha256") },
  sha512: { bytes: 64, begin: hash("sha512") },
  crc32: { bytes: 4, begin: () => new Crc32() },
  crc32c: { bytes: 4, begin: () => new Crc32c() },
  crc64nvme: { bytes: 8, begin: () => new Crc64Nvme() },
} as const satisfies Record<string, { bytes: number; begin: () => Checksum }>;

type Algorithm = keyof typeof ALGORITHMS;

interface Expected {
  readonly header: string;
  readonly algorithm: Algorithm;
  readonly digest: Buffer;
}

/** Each holds one digest, in base64. */
const SINGLE: Readonly<Record<string, Algorithm>> = {
  "content-md5": "md5",
  "x-amz-checksum-crc32": "crc32",
  "x-amz-checksum-crc32c": "crc32c",
  "x-amz-checksum-crc64nvme": "crc64nvme",
  "x-amz-checksum-sha1": "sha1",
  "x-amz-checksum-sha256": "sha256",
};

/** RFC 9530's, which hold several by name; of a PUT without a range both mean its body. */
const DICTIONARIES = ["content-digest", "repr-digest"];
const OF_DICTIONARY: Readonly<Record<string, Algorithm>> = { "sha-256": "sha256", "sha-512": "sha512" };

/** S3's own for the signature's sake, in hexadecimal; a body that is not hashed has a word instead. */
const PAYLOAD = "x-amz-content-sha256";
/** Says which of the checksums there is. */
const NAMED = "x-amz-sdk-checksum-algorithm";

/** Every header that is a promise of the body. */
export const DIGEST_HEADERS = [...Object.keys(SINGLE), ...DICTIONARIES, PAYLOAD, NAMED];

/** Whether a header promises a body without bytes. */
export function isOfNothing(header: string, value: string): boolean {
  const algorithm = SINGLE[header];
  if (algorithm === undefined) return false;
  return Buffer.from(ALGORITHMS[algorithm].begin().digest()).toString("base64") === value;
}

/** The digests of one body. */
export class Digests {
  readonly #expected: Expected[];
  readonly #running: ReadonlyMap<Algorithm, Checksum>;
  #taken: ReadonlyMap<Algorithm, Uint8Array> | undefined;
  /** Headers that come after the body, and have not come yet. */
  readonly #awaited: Set<string>;

  /**
   * @param trailers names of the checksums that come after the body
   * @throws {Refused} invalid-request with every header that no body could match, or that promises what is not known
   */
  constructor(headers: Headers, trailers: readonly string[] = []) {
    const faults: FieldError[] = [];
    this.#expected = [...headers].flatMap(([header, value]) => {
      const expected = expectedBy(header, value, (name) => headers.has(name) || trailers.includes(name));
      if (typeof expected !== "string") return expected;
      faults.push({ path: header, message: expected });
      return [];
    });
    const awaited = trailers.map((header) => SINGLE[header]);
    faults.push(
      ...trailers
        .filter((header) => SINGLE[header] === undefined)
        .map((path) => ({ path, message: "is no checksum that is taken after a body" })),
    );
    if (faults.length > 0) throw Refused.fields(faults);
    const algorithms = [...this.#expected.map(({ algorithm }) => algorithm), ...awaited];
    this.#running = new Map(
      algorithms
        .filter((name) => name !== undefined)
        .map((name) => [name, ALGORITHMS[name].begin()] as const),
    );
    this.#awaited = new Set(trailers);
  }

  /**
   * Takes a checksum that came after the body.
   *
   * @throws {Refused} invalid-request when it is none that was announced, or no body could match it
   */
  trailer(header: string, value: string): void {
    const algorithm = SINGLE[header];
    if (algorithm === undefined || !this.#awaited.delete(header))
      throw Refused.field(header, "was not announced by x-amz-trailer");
    const expected = ofBase64(header, algorithm, value);
    if (typeof expected === "string") throw Refused.field(header, expected);
    this.#expected.push(...expected);
  }

  /** Takes the next bytes; they may be written over afterwards. */
  update(bytes: Uint8Array): void {
    // The end of a body is a piece too, and comes after its digests have been taken.
    if (bytes.length === 0) return;
    for (const running of this.#running.values()) running.update(bytes);
  }

  /** S3's checksums that were promised, by header, once all of them have come. */
  checksums(): Record<string, string> {
    return Object.fromEntries(
      this.#expected
        .filter(({ header }) => header.startsWith("x-amz-checksum-"))
        .map(({ header, digest }) => [header, digest.toString("base64")]),
    );
  }

  /**
   * To be called when all of the body has been taken and before any of it can be seen.
   *
   * @throws {Refused} invalid-request with every header that the body does not match, or that did not come
   */
  verify(): void {
    if (this.#awaited.size > 0) throw Refused.mismatch(this.#awaited, "did not come after the body");
    this.#taken ??= new Map([...this.#running].map(([name, running]) => [name, running.digest()]));
    const digests = this.#taken;
    const wrong = this.#expected.filter(
      ({ algorithm, digest }) => !digest.equals(digests.get(algorithm) ?? Buffer.alloc(0)),
    );
    if (wrong.length === 0) return;
    const headers = new Set(wrong.map(({ header }) => header));
    throw Refused.mismatch(headers, "is not that of the body that came");
  }
}

/** What a header promises, or else what is wrong with it. */
function expectedBy(
  header: string,
  value: string,
  isThere: (header: string) => boolean,
): Expected[] | string {
  const algorithm = SINGLE[header];
  if (algorithm !== undefined) return ofBase64(header, algorithm, value);
  if (DICTIONARIES.includes(header)) return ofDictionary(header, value);
  if (header === PAYLOAD) return ofPayload(value);
  if (header !== NAMED || isThere(`x-amz-checksum-${value.toLowerCase()}`)) return [];
  return "must name the algorithm of an x-amz-checksum-* header that is there";
}

function ofBase64(header: string, algorithm: Algorithm, value: string): Expected[] | string {
  const { bytes } = ALGORITHMS[algorithm];
  const digest = Buffer.from(value, "base64");
  if (digest.length === bytes && digest.toString("base64") === value) return [{ header, algorithm, digest }];
  return `must be canonical base64 of ${bytes} bytes`;
}

function ofDictionary(header: string, value: string): Expected[] | string {
  const expected: Expected[] = [];
  for (const member of value.split(",")) {
    const [, name = "", base64 = ""] = /^\s*([a-z0-9*._-]+)=:([^:]*):\s*$/.exec(member) ?? [];
    const algorithm = OF_DICTIONARY[name];
    if (algorithm === undefined) return "must be sha-256=:BASE64: or sha-512=:BASE64:, and no other digest";
    const one = ofBase64(header, algorithm, base64);
    if (typeof one === "string") return one;
    expected.push(...one);
  }
  return expected;
}

function ofPayload(value: string): Expected[] | string {
  if (value === "UNSIGNED-PAYLOAD") return [];
  if (/^[0-9a-f]{64}$/.test(value)) {
    return [{ header: PAYLOAD, algorithm: "sha256", digest: Buffer.from(value, "hex") }];
  }
  return "must be the body's SHA-256 in hexadecimal, or UNSIGNED-PAYLOAD: bodies in signed chunks are not taken";
}
