/** The one way in which a route does something in a bucket: nobody can forget the grants, the key or the event. */
import type { Draft } from "../audit/event.ts";
import type { Trail } from "../audit/trail.ts";
import type { Caller } from "../auth/callers.ts";
import { authorise } from "../auth/grants.ts";
import type { Bucket, Grant } from "../config/load.ts";
import type { Permission } from "../config/schema.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { type Credentials, credentialsOf } from "../s3/store/credentials.ts";
import { WhichKey } from "../s3/store/which-key.ts";
import type { Service } from "../service.ts";

/** Who asks, and of what: of one HTTP request, or of the item of a batch. */
export interface Asker {
  readonly service: Service;
  readonly caller: Caller;
  readonly trail: Trail;
  /** Shared by the items of a batch. */
  readonly whichKey?: WhichKey;
}

/** What every request names. */
export interface Addressed {
  readonly bucket: string;
  /** Or what the keys begin with that a request is about. */
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly uploadId?: string | undefined;
}

export interface Plan<T> {
  /** S3's name, or ours, in the event; undefined where `read` tells it to the draft. */
  readonly operation?: string;
  readonly permission: Permission | ((request: T) => Permission);
  /** Reads and checks what is asked. What it throws is an event, with what it has told the draft before. */
  readonly read: (draft: Draft) => T;
}

/** Which key an object goes with, and what of the request is not in what `read` gives. */
export type KeyKind = "new" | "stored" | "upload";
type KeyOf = Pick<Addressed, "versionId" | "keyId">;

/** What the work is done with; what may have to be asked for is asked for when it is needed. */
export interface Operating<T> {
  readonly request: T;
  readonly bucket: Bucket;
  readonly grants: readonly Grant[];
  readonly draft: Draft;
  /** The customer key, which the event then names. */
  key(kind: KeyKind, of?: KeyOf): Promise<CustomerKey>;
  credentials(): Promise<Credentials>;
}

/**
 * Checks the request, authorises the caller and does the work, of which there is one event however it ends.
 *
 * @throws {Problem} forbidden; what `read` and `work` throw
 */
export function operate<T extends Addressed, R>(
  { service, caller, trail, whichKey }: Asker,
  { operation, permission, read }: Plan<T>,
  work: (operating: Operating<T>) => Promise<R>,
): Promise<R> {
  return trail.record(async (draft) => {
    if (operation !== undefined) draft.operation = operation;
    const request = read(draft);
    draft.bucket = request.bucket;
    draft.key ??= request.key;
    draft.versionId = request.versionId;
    const needed = typeof permission === "function" ? permission(request) : permission;
    const { bucket, grants } = authorise(service.config, caller, needed, request);
    return work({
      request,
      bucket,
      grants,
      draft,
      key: async (kind, { versionId, keyId } = request) => {
        const keys = whichKey ?? new WhichKey(service);
        const { key, uploadId } = request;
        const wanted = { bucket, key, versionId, keyId, keyIdPath: "keyId" };
        const customerKey = await (kind === "stored"
          ? keys.forStored(wanted)
          : kind === "new" || uploadId === undefined
            ? keys.forNew(wanted)
            : keys.forUpload({ ...wanted, uploadId }));
        draft.keyId = customerKey.id;
        draft.keyMD5 = customerKey.md5;
        return customerKey;
      },
      credentials: () => credentialsOf(bucket.store, service.secrets),
    });
  });
}
