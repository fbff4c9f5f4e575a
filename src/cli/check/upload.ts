/** A multipart upload of a throw-away object, step by step; it is aborted in the end unless it is completed. */
import { customerKeyHeaders } from "../../keys/headers.ts";
import type { StoreClient } from "./client.ts";
import { type Answer, elements, isDone } from "./http.ts";
import type { TrialObject } from "./object.ts";
import type { Scratch } from "./scratch.ts";

type Headers = Readonly<Record<string, string>>;

export const isUpload = (begun: Upload | Answer): begun is Upload => begun instanceof Upload;

export class Upload {
  readonly #object: TrialObject;
  readonly #uploadId: string;

  private constructor(object: TrialObject, uploadId: string) {
    this.#object = object;
    this.#uploadId = uploadId;
  }

  /** @returns the answer instead where the upload was not begun, or has no id */
  static async begin(scratch: Scratch, object: TrialObject, more: Headers = {}): Promise<Upload | Answer> {
    const { name, key } = object;
    const headers = { ...customerKeyHeaders(key), ...more };
    const create = { method: "POST", key: name, headers, query: { uploads: "" } };
    const created = await scratch.begin(name, (store) => store.ask(create));
    const [uploadId] = isDone(created) ? elements(created, "UploadId") : [];
    return uploadId === undefined ? created : new Upload(object, uploadId);
  }

  /**
   * UploadPart of the first part, which may be the last and then of any size.
   *
   * @param signed headers beside those of the key
   */
  part(signed: Headers = {}) {
    const { name, key } = this.#object;
    const query = { uploadId: this.#uploadId, partNumber: "1", "x-id": "UploadPart" };
    return { method: "PUT", key: name, headers: { ...customerKeyHeaders(key), ...signed }, query };
  }

  /** Uploads the object as one part, and completes it. @returns the answer that decided it */
  async finish(store: StoreClient, scratch: Scratch): Promise<Answer> {
    const etag = await this.sendPart(store);
    return typeof etag === "string" ? this.complete(scratch, etag) : etag;
  }

  /** Uploads the object as one part, and says its ETag as the store does. @returns the answer where it is refused */
  async sendPart(store: StoreClient): Promise<string | Answer> {
    const answer = await store.ask(this.part(), this.#object.body);
    return isDone(answer) ? String(answer.headers.etag) : answer;
  }

  /** @param more conditions */
  async complete(scratch: Scratch, etag: string, more: Headers = {}): Promise<Answer> {
    const { name, key } = this.#object;
    const list = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    const headers = { ...customerKeyHeaders(key), ...more };
    const wanted = { method: "POST", key: name, headers, query: { uploadId: this.#uploadId } };
    const answer = await scratch.write(name, (store) => store.ask(wanted, Buffer.from(list)));
    if (isDone(answer)) scratch.completed(name);
    return answer;
  }
}
