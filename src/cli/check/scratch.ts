/** The throw-away objects of one run. Whatever is written is written through it, so that all of it can be removed. */
import { randomBytes } from "node:crypto";
import type { StoreClient, Wanted } from "./client.ts";
import { type Answer, elements, isDone, NoAnswer, said } from "./http.ts";
import { isMissing } from "./refusal.ts";
import { bad, type Outcome, ok } from "./report.ts";

const PREFIX = "ssec-check/";
/** The key of an object that is never there. */
export const NOTHING = `${PREFIX}nothing`;

export class Scratch {
  readonly prefix = `${PREFIX}${randomBytes(8).toString("hex")}/`;
  readonly #store: StoreClient;
  /** What may be there, and its versions as far as they are known. */
  readonly #objects = new Map<string, Set<string>>();
  readonly #uploads = new Map<string, string | undefined>();
  readonly #written = new Set<string>();
  /** What puts settings of the bucket back. */
  readonly #changes = new Set<(store: StoreClient) => Promise<Answer>>();

  constructor(store: StoreClient) {
    this.#store = store;
  }

  /** The whole key of an object of this run. */
  name(what: string): string {
    return `${this.prefix}${what}`;
  }

  /** @param write what may bring the object about; without an answer it may have */
  async write(key: string, write: (store: StoreClient) => Promise<Answer>): Promise<Answer> {
    const before = this.#objects.get(key);
    const versions = before ?? new Set();
    this.#objects.set(key, versions);
    const answer = await write(this.#store.writing());
    const version = answer.headers["x-amz-version-id"];
    if (isDone(answer)) {
      this.#written.add(key);
      if (typeof version === "string") versions.add(version);
    } else if (isSettled(answer) && before === undefined) this.#objects.delete(key);
    return answer;
  }

  /** Begins a multipart upload, which is aborted in the end unless it is completed. */
  async begin(key: string, create: (store: StoreClient) => Promise<Answer>): Promise<Answer> {
    this.#uploads.set(key, undefined);
    const answer = await create(this.#store.writing());
    if (isDone(answer)) this.#uploads.set(key, elements(answer, "UploadId")[0]);
    else if (isSettled(answer)) this.#uploads.delete(key);
    return answer;
  }

  completed(key: string): void {
    this.#uploads.delete(key);
  }

  /**
   * Before a setting of the bucket is changed: what puts it back, which is done by what is returned, or else in the end.
   *
   * @param putBack answers 404 where there is nothing any more
   */
  changing(putBack: (store: StoreClient) => Promise<Answer>): () => Promise<void> {
    this.#changes.add(putBack);
    return async () => {
      if ((await reasonOf(putBack(this.#store.uninterrupted()))) === undefined) this.#changes.delete(putBack);
    };
  }

  /** Removes everything, interrupted or not; nothing may be being written any more. */
  async remove(): Promise<Outcome> {
    const store = this.#store.uninterrupted();
    const left = [
      ...[...this.#objects].map(([key, versions]) => removeObject(store, key, versions)),
      ...[...this.#uploads].map(([key, uploadId]) => abort(store, key, uploadId)),
      ...[...this.#changes].map((putBack) => reasonOf(putBack(store))),
    ];
    const reasons = (await Promise.all(left)).filter((reason) => reason !== undefined);
    if (reasons.length === 0) return ok(`${this.#written.size}, and nothing is left`);
    const { name } = store.reach.bucket;
    return bad(
      `something may be left: ${[...new Set(reasons)].join(", ")}`,
      `Remove what is below ${this.prefix} in BUCKETS.${name} by hand, multipart uploads as well${this.#changes.size > 0 ? ", and the statements for it (SsecEdge…) in the bucket's policy" : ""}; the credentials need DeleteObject and AbortMultipartUpload.`,
    );
  }
}

/** Certainly not done: a store that fails may have done it all the same. */
const isSettled = (answer: Answer): boolean => answer.status < 500 || isMissing(answer);

/** Why it may not have been done; undefined where it is. */
type Reason = string | undefined;

async function removeObject(store: StoreClient, key: string, versions: ReadonlySet<string>): Promise<Reason> {
  if (versions.size > 0) return removeEach(store, key, "versionId", [...versions]);
  const answer = await ask(store, { method: "DELETE", key });
  // The version that is named here is but a marker, which hides those that are there.
  const isHidden = typeof answer !== "string" && "x-amz-version-id" in answer.headers;
  if (!isHidden) return failureOf(answer);
  const listed = await ask(store, { method: "GET", key: "", query: { versions: "", prefix: key } });
  return failureOf(listed) ?? removeEach(store, key, "versionId", idsIn(listed, "VersionId"));
}

async function abort(store: StoreClient, key: string, uploadId: string | undefined): Promise<Reason> {
  if (uploadId !== undefined) return removeEach(store, key, "uploadId", [uploadId]);
  // An upload whose beginning was not answered is known to the store alone.
  const listed = await ask(store, { method: "GET", key: "", query: { uploads: "", prefix: key } });
  return failureOf(listed) ?? removeEach(store, key, "uploadId", idsIn(listed, "UploadId"));
}

async function removeEach(
  store: StoreClient,
  key: string,
  name: string,
  ids: readonly string[],
): Promise<Reason> {
  const answers = await Promise.all(
    ids.map((id) => ask(store, { method: "DELETE", key, query: { [name]: id } })),
  );
  return answers.map(failureOf).find((reason) => reason !== undefined);
}

/** An answer, or why there is none. */
function ask(store: StoreClient, wanted: Wanted): Promise<Answer | string> {
  return settled(store.ask(wanted));
}

async function settled(answer: Promise<Answer>): Promise<Answer | string> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NoAnswer) return error.message;
    throw error;
  }
}

const reasonOf = async (answer: Promise<Answer>): Promise<Reason> => failureOf(await settled(answer));

function failureOf(answer: Answer | string): Reason {
  if (typeof answer === "string") return answer;
  return isDone(answer) || answer.status === 404 ? undefined : said(answer);
}

function idsIn(answer: Answer | string, name: string): string[] {
  return typeof answer === "string" ? [] : elements(answer, name);
}
