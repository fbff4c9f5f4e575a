/** The few operations of S3 that are spoken in XML, each as one request. */
import type { Bucket } from "../../config/load.ts";
import type { Sent } from "../api/fields.ts";
import type { Credentials } from "./credentials.ts";
import {
  type Asked,
  MAX_ANSWER,
  refusalIn,
  refusalOf,
  sendToStore,
  storeError,
  storeTimeout,
  textWithin,
} from "./fetch.ts";
import { timeLimitsOf } from "./time-limits.ts";
import type { Transport } from "./transport.ts";
import { type Element, parseXml, XmlError } from "./xml.ts";

/** What is asked of a bucket, or of one object in it. */
interface Operation extends Partial<Sent> {
  /** Its S3 name, for the operator's log. */
  readonly name: string;
  readonly method: string;
  /** Empty for the bucket itself. */
  readonly key?: string;
  /** A document. */
  readonly body?: string;
  /** Milliseconds, where it may take longer than others. */
  readonly timeLimit?: number;
}

/** What the store said, once it has done as asked. */
export interface Answer {
  readonly headers: Headers;
  /** The children of the document's root; none where the answer is empty. */
  readonly element: Element;
}

const utf8 = new TextEncoder();

/** One bucket of a store, the credentials that open it, and what carries requests there, where it is not fetch. */
export class S3Bucket {
  readonly bucket: Bucket;
  readonly credentials: Credentials;
  readonly transport: Transport | undefined;

  constructor(bucket: Bucket, credentials: Credentials, transport?: Transport) {
    this.bucket = bucket;
    this.credentials = credentials;
    this.transport = transport;
  }

  /**
   * Runs one operation.
   *
   * @param root the name of the answer's root element; undefined where the answer is empty
   * @throws {Refused} what the store's refusal means, also where it came under 200; store-error, store-timeout
   */
  async run(operation: Operation, root: string | undefined): Promise<Answer> {
    const { name, method, key = "", query = {}, headers = {}, body } = operation;
    const { bucket, credentials, transport } = this;
    const { timeLimit = timeLimitsOf(bucket.store).operation } = operation;
    const request = { method, bucket, key, query, headers };
    const signal = AbortSignal.timeout(timeLimit);
    const response = await sendToStore(request, {
      credentials,
      transport,
      signal,
      ...(body !== undefined && { body: utf8.encode(body) }),
    });
    const asked = { method: name, bucket };
    if (response.status !== 200 && response.status !== 204) throw await refusalOf(response, asked);
    const text = await this.#read(response, asked, signal);
    if (root === undefined) return { headers: response.headers, element: {} };
    const element = await elementOf(text, root, asked);
    return { headers: response.headers, element };
  }

  async #read(response: Response, asked: Asked, signal: AbortSignal): Promise<string> {
    try {
      const { text, isWhole } = await textWithin(response, MAX_ANSWER);
      if (isWhole) return text;
    } catch {
      if (signal.aborted) throw storeTimeout();
      throw storeError(asked, "an answer that broke off");
    }
    throw storeError(asked, "an answer without end", `it is longer than ${MAX_ANSWER} bytes`);
  }
}

/** @throws {Refused} the refusal, where the document is one; store-error where it is another than `root` */
async function elementOf(text: string, root: string, asked: Asked): Promise<Element> {
  try {
    const { name, element } = parseXml(text);
    if (name === root) return element;
    // An operation that takes long may have begun its answer, with 200, before it failed.
    if (name === "Error") throw await refusalIn(element, asked);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw storeError(asked, "an answer that cannot be read", `as XML: ${error.message}`);
  }
  throw storeError(asked, "an answer that cannot be read", `it is no ${root}`);
}
