/** One request of an S3 client, once it is known whose it is and what it asks for. */
import type { Caller } from "../auth/callers.ts";
import type { Permission } from "../config/schema.ts";
import type { AppContext } from "../front/context.ts";
import { type Addressed, type Operating, operate, type Plan } from "../objects/operate.ts";
import type { CopySource } from "../s3/api/fields.ts";
import { isTooLong, objectKey, type objectName } from "../s3/api/object-key.ts";
import type { Service } from "../service.ts";
import { check } from "../validation.ts";
import type { Target } from "./address.ts";
import type { VerifiedBody } from "./body.ts";
import { type FaultCode, S3Fault } from "./faults.ts";
import type { GatewayOperation } from "./operations.ts";
import { type Children, document } from "./xml.ts";

export class Call {
  readonly c: AppContext;
  readonly operation: GatewayOperation;
  readonly bucket: string;
  /** Empty where a bucket is asked. */
  readonly key: string;
  readonly query: URLSearchParams;
  /** Without those of the signature; ETags in them are the store's. */
  readonly headers: Headers;
  readonly body: VerifiedBody;

  constructor(
    c: AppContext,
    operation: GatewayOperation,
    { bucket, key }: Target,
    { query, headers, body }: Pick<Call, "query" | "headers" | "body">,
  ) {
    this.c = c;
    this.operation = operation;
    this.bucket = bucket;
    this.key = key;
    this.query = query;
    this.headers = headers;
    this.body = body;
  }

  get service(): Service {
    return this.c.get("service");
  }

  get caller(): Caller {
    return this.c.get("caller");
  }

  /** Keeps the Worker alive until a promise is settled. */
  later = (promise: Promise<unknown>): void => this.c.executionCtx.waitUntil(promise);

  /** What a presigned URL, and every other request, does in a bucket. */
  operate<T extends Addressed, R>(plan: Plan<T>, work: (operating: Operating<T>) => Promise<R>): Promise<R> {
    const { service, caller } = this;
    return operate({ service, caller, trail: this.c.get("trail") }, plan, work);
  }

  /** The same, of the object that the request names. */
  onObject<R>(
    permission: Permission,
    work: (operating: Operating<Addressed>) => Promise<R>,
    also: () => ObjectAddress = () => ({}),
  ): Promise<R> {
    const { operation, bucket } = this;
    return this.operate(
      {
        operation,
        permission,
        read: (draft) => {
          Object.assign(draft, { bucket, key: this.key });
          return { bucket, key: keyOf(this.key), ...also() };
        },
        copiesBetweenStores: true,
      },
      work,
    );
  }

  /** An answer in XML. */
  xml(root: string, children: Children, headers: Record<string, string> = {}): Response {
    return this.c.body(document(root, children), 200, {
      "content-type": "application/xml",
      "cache-control": "no-store",
      ...headers,
    });
  }

  /** An answer that is nothing but its headers. */
  empty(status: 200 | 204, headers: Record<string, string> = {}): Response {
    return this.c.body(null, status, headers);
  }
}

/** What else of an object's request says what it is about. */
interface ObjectAddress {
  readonly versionId?: string | undefined;
  readonly uploadId?: string | undefined;
  readonly source?: CopySource | undefined;
}

/**
 * @param schema what a key may be: one that a path can hold, unless it comes another way
 * @throws {S3Fault} KeyTooLongError, or `otherwise` for a key that no store could give back
 */
export function keyOf(
  key: string,
  schema: typeof objectKey | typeof objectName = objectKey,
  otherwise: FaultCode = "InvalidURI",
): string {
  const checked = check(schema, key);
  if (checked.ok) return checked.value;
  const { message } = checked.errors[0] ?? { message: "is no key" };
  throw new S3Fault(
    isTooLong(key) ? "KeyTooLongError" : otherwise,
    `Object keys ${message.replace(/ \(.*$/, "")}.`,
  );
}
