/**
 * What a store can do, found by a scratch object: whether it copies from key to key, and which conditions it holds on what
 * is replaced, in which spelling. What it says it can do counts for nothing: a condition that must fail has to fail.
 */
import { type CustomerKey, customerKey, KEY_BYTES } from "../keys/customer-key.ts";
import { copySourceKeyHeaders, customerKeyHeaders, KEY_MD5_HEADER } from "../keys/headers.ts";
import { describeUnforeseen, logError } from "../log.ts";
import { Refused } from "../refused.ts";
import { copySourceHeader, type Sent } from "../s3/api/fields.ts";
import type { S3Bucket } from "../s3/store/client.ts";
import { isTransient } from "../s3/store/fetch.ts";
import { listObjects } from "../s3/store/list.ts";
import { textOf } from "../s3/store/xml.ts";
import { ifMatch, ifSourceMatch } from "./conditions.ts";
import type { Limits } from "./limits.ts";
import { GaveUp, patiently } from "./patience.ts";
import type { Spelling, Ways } from "./state.ts";

const { randomBytes } = process.getBuiltinModule("node:crypto");

const SPELLINGS = ["quoted", "bare"] as const;
/** The ETag of nothing that there is. */
const WRONG = "00000000000000000000000000000000";
/** Refusals that stay: what is not there, or not allowed. */
const IS_NOT_FOR_US = /^(40\d|AccessDenied|MethodNotAllowed)$/;
/** And those of a path that was changed on its way: it does not match its signature, however often it is sent. */
const IS_CHANGED = /^(40\d|AccessDenied|SignatureDoesNotMatch)$/;
const BODY = "ssec-edge looks what this store can do; it is removed at once\n";

/**
 * @param key with which the names of the scratch objects begin, and nobody else's
 * @throws {GaveUp} when a scratch object cannot be written
 */
export async function findWays(store: S3Bucket, key: string, to: CustomerKey, limits: Limits): Promise<Ways> {
  const at = async <T>(name: string, work: (scratch: Scratch) => Promise<T>): Promise<T> => {
    const scratch = new Scratch(store, `${key}-${name}`, to, limits);
    try {
      return await work(scratch);
    } finally {
      await scratch.remove();
    }
  };
  // Whether it can be written at all, before much is asked.
  const { versionId } = await at("put", (scratch) => patiently(limits, () => scratch.put()));
  // Each has an object of its own, so that all can be asked at once.
  const questions = [
    at("conditions", (scratch) =>
      scratch.spelling(SPELLINGS, (etag, spelling) => scratch.put(ifMatch(spelling, etag))),
    ),
    at("copies", (scratch) => scratch.can(() => scratch.copy({}))),
    at("replaced", (scratch) =>
      scratch.spelling([...SPELLINGS, "r2"], (etag, spelling) => scratch.copy(ifMatch(spelling, etag))),
    ),
    at("source", (scratch) =>
      scratch.spelling(SPELLINGS, (etag, spelling) => scratch.copy(ifSourceMatch(spelling, etag))),
    ),
    at("parts", (scratch) => scratch.can(() => scratch.upload({ isCopied: true }))),
    at("complete", (scratch) =>
      scratch.spelling(SPELLINGS, (etag, spelling) =>
        scratch.upload({ isCopied: false, headers: ifMatch(spelling, etag) }),
      ),
    ),
    // It gives nobody anything; a bucket whose owner owns all objects takes no list at all.
    at("list", (scratch) =>
      scratch.can(async () => {
        await scratch.put({ "x-amz-acl": "bucket-owner-read" });
        await scratch.acl();
      }),
    ),
    takesDots(store, `${key}/./x/../y`, to, limits),
  ] as const;
  // None is left at work when this is over.
  await Promise.allSettled(questions);
  const [ifMatchOfPut, copies, ifMatchOfCopy, ofSource, copiesParts, ifMatchOfComplete, hasAcls, dots] =
    await Promise.all(questions);
  return {
    copies,
    copiesParts,
    ifSourceMatch: ofSource,
    ifMatchOfCopy,
    ifMatchOfPut,
    ifMatchOfComplete,
    hasAcls,
    takesDots: dots,
    isVersioned: false,
    keepsVersions: versionId !== undefined && versionId !== "null",
  };
}

/**
 * Whether an object of such a name is listed under that, and not under the one that a normalised path has: what stands before
 * a store may normalise as well, and rotate one object for another.
 */
async function takesDots(store: S3Bucket, key: string, to: CustomerKey, limits: Limits): Promise<boolean> {
  if (!store.transport?.sendsDots) return false;
  const scratch = new Scratch(store, key, to, limits);
  if (!(await patiently(limits, () => isDone(() => scratch.put(), IS_CHANGED)))) return false;
  try {
    const { objects } = await patiently(limits, () => listObjects(store, { prefix: key, limit: 1 }));
    return objects[0]?.key === key;
  } finally {
    await scratch.remove();
  }
}

/** @throws whatever may be otherwise next time, but what is final all the same */
async function isDone(work: () => Promise<unknown>, isFinal: RegExp): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Refused) || (isTransient(error) && !isFinal.test(error.storeCode ?? "")))
      throw error;
    return false;
  }
}

/** Within the prefix, so that whoever may rotate that may write it, and as long as a key may be. */
export function scratchName({ id, prefix }: { readonly id: string; readonly prefix: string }): string {
  const name = `.ssec-rotation-${id}`;
  return prefix.length * 3 + name.length + ADDED > 1024 ? name : prefix + name;
}

/** Characters that are added to it, to have several. */
const ADDED = 40;

class Scratch {
  readonly #store: S3Bucket;
  readonly #key: string;
  /** Nothing of value is ever under it, so that it need not be kept. */
  #from: CustomerKey = customerKey("nobody's", randomBytes(KEY_BYTES));
  readonly #to: CustomerKey;
  readonly #limits: Limits;
  readonly #versions = new Set<string>();

  constructor(store: S3Bucket, key: string, to: CustomerKey, limits: Limits) {
    this.#store = store;
    this.#key = key;
    this.#to = to;
    this.#limits = limits;
  }

  /** The object, under a key that is not the target. */
  async put(headers: Record<string, string> = {}): Promise<{ etag: string; versionId: string | undefined }> {
    try {
      return await this.#put(headers, this.#from);
    } catch (error) {
      // A bucket's policy may let nothing but its own keys be written under.
      const isTarget = this.#from === this.#to;
      if (isTarget || !(error instanceof Refused) || error.reason !== "store-error") throw error;
      const put = await this.#put(headers, this.#to);
      this.#from = this.#to;
      return put;
    }
  }

  async #put(headers: Record<string, string>, key: CustomerKey) {
    const query = { "x-id": "PutObject" };
    const answer = await this.#run("PutObject", "PUT", { query, headers, body: BODY }, key, undefined);
    return { etag: answer.headers.get("etag") ?? "", versionId: this.#noted(answer.headers) };
  }

  /** From the one key to the other, in place; the object is as before then. */
  async copy(headers: Record<string, string>): Promise<void> {
    const all = {
      ...headers,
      "x-amz-copy-source": copySourceHeader(this.#store.bucket.storeBucket, { key: this.#key }),
      ...copySourceKeyHeaders(this.#from),
    };
    const sent = { query: { "x-id": "CopyObject" }, headers: all };
    const answer = await this.#run("CopyObject", "PUT", sent, this.#to, "CopyObjectResult");
    this.#noted(answer.headers);
    const { headers: head } = await this.#run(
      "HeadObject",
      "HEAD",
      { query: {}, headers: {} },
      this.#to,
      undefined,
    );
    // What a store says of a copy is one thing, and under which key it lies another.
    if (head.get(KEY_MD5_HEADER) !== this.#to.md5)
      throw new Refused("invalid-request", "The copy is not under the key that it was to be under.");
  }

  /** One part, uploaded or copied. */
  async upload({
    isCopied,
    headers = {},
  }: {
    isCopied: boolean;
    headers?: Record<string, string>;
  }): Promise<void> {
    const created = await this.#run(
      "CreateMultipartUpload",
      "POST",
      { query: { uploads: "" }, headers: {} },
      this.#to,
      "InitiateMultipartUploadResult",
    );
    const uploadId = textOf(created.element, "UploadId") ?? "";
    try {
      const query = { partNumber: "1", uploadId };
      const source = {
        "x-amz-copy-source": copySourceHeader(this.#store.bucket.storeBucket, { key: this.#key }),
        ...copySourceKeyHeaders(this.#from),
      };
      const part = isCopied
        ? await this.#run("UploadPartCopy", "PUT", { query, headers: source }, this.#to, "CopyPartResult")
        : await this.#run("UploadPart", "PUT", { query, headers: {}, body: BODY }, this.#to, undefined);
      const etag = (isCopied ? textOf(part.element, "ETag") : part.headers.get("etag")) ?? "";
      if (isCopied) return;
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
      const sent = { query: { uploadId }, headers: { ...headers, "content-type": "application/xml" }, body };
      const root = "CompleteMultipartUploadResult";
      this.#noted((await this.#run("CompleteMultipartUpload", "POST", sent, this.#to, root)).headers);
    } finally {
      const sent = { query: { uploadId }, headers: {} };
      await patiently(this.#limits, () => this.#run("AbortMultipartUpload", "DELETE", sent)).catch(() => {});
    }
  }

  async acl(): Promise<void> {
    await this.#run(
      "GetObjectAcl",
      "GET",
      { query: { acl: "" }, headers: {} },
      undefined,
      "AccessControlPolicy",
    );
  }

  /** Whether the store does it, to a fresh object; what may be otherwise next time is no answer. */
  can(work: (etag: string) => Promise<unknown>): Promise<boolean> {
    return patiently(this.#limits, async () => {
      const { etag } = await this.put();
      return isDone(() => work(etag), IS_NOT_FOR_US);
    });
  }

  /** The spelling in which a condition holds when it should, and does not when it should not. */
  async spelling<S extends NonNullable<Spelling>>(
    spellings: readonly S[],
    work: (etag: string, spelling: S) => Promise<unknown>,
  ): Promise<S | undefined> {
    for (const spelling of spellings) {
      if (await this.can(() => work(WRONG, spelling))) continue;
      if (await this.can((etag) => work(etag, spelling))) return spelling;
    }
    return undefined;
  }

  /** With all its versions, as far as they are known: nothing is to be found of it later, where it may be removed. */
  async remove(): Promise<void> {
    const versions = this.#versions.size === 0 ? [undefined] : [...this.#versions];
    for (const versionId of versions) {
      const query = { "x-id": "DeleteObject", ...(versionId !== undefined && { versionId }) };
      try {
        await patiently(this.#limits, () => this.#run("DeleteObject", "DELETE", { query, headers: {} }));
      } catch (error) {
        const refused = error instanceof GaveUp ? error.problem : error;
        const why =
          refused instanceof Refused
            ? (refused.operator ?? refused.message)
            : describeUnforeseen(refused).message;
        logError({ code: "store-error", message: `the scratch object ${this.#key} was not removed: ${why}` });
      }
    }
  }

  #noted(headers: Headers): string | undefined {
    const versionId = headers.get("x-amz-version-id") ?? undefined;
    if (versionId !== undefined) this.#versions.add(versionId);
    return versionId;
  }

  #run(name: string, method: string, { query, headers, body }: Sent, key?: CustomerKey, root?: string) {
    const all = { ...headers, ...(key && customerKeyHeaders(key)) };
    const operation = {
      name,
      method,
      key: this.#key,
      query,
      headers: all,
      ...(body !== undefined && { body }),
    };
    return this.#store.run(operation, root);
  }
}
