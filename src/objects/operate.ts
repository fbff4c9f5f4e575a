/** The one way in which a route does something in a bucket: nobody can forget the grants, the key or the event. */
import type { Draft } from "../audit/event.ts";
import type { Trail } from "../audit/trail.ts";
import type { Caller } from "../auth/callers.ts";
import { authorise } from "../auth/grants.ts";
import type { Bucket, Config, Grant, Store } from "../config/load.ts";
import type { Permission } from "../config/schema.ts";
import type { CustomerKey } from "../keys/customer-key.ts";
import { writer } from "../keys/ring.ts";
import { Refused } from "../refused.ts";
import type { CopySource } from "../s3/api/fields.ts";
import { type Credentials, credentialsOf } from "../s3/store/credentials.ts";
import { WhichKey } from "../s3/store/which-key.ts";
import type { Service } from "../service.ts";

/** Who asks, and of what: of one HTTP request, or of the item of a batch. */
export interface Asker {
  readonly service: Service;
  readonly caller: Caller;
  readonly trail: Trail;
  /** Shared by the items of a batch. */
  readonly whichKey?: WhichKey | undefined;
}

/** What every request names. */
export interface Addressed {
  readonly bucket: string;
  /** Or what the keys begin with that a request is about. */
  readonly key: string;
  /** What a form's key begins with, in place of `key`. */
  readonly keyPrefix?: string | undefined;
  readonly versionId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly uploadId?: string | undefined;
  /** What is copied, which the caller must be allowed to read. */
  readonly source?: CopySource | undefined;
}

export interface Plan<T> {
  /** S3's name, or ours, in the event; undefined where `read` tells it to the draft. */
  readonly operation?: string;
  readonly permission: Permission | ((request: T) => Permission);
  /** Reads and checks what is asked. What it throws is an event, with what it has told the draft before. */
  readonly read: (draft: Draft) => T;
  /** Whether a copy may come from another store, which then cannot make it by itself. */
  readonly copiesBetweenStores?: boolean;
}

/** The customer key of new objects, of the object as it is stored, or of the multipart upload. */
export type KeyKind = "new" | "stored" | "upload";
/** What a key is looked for by, where that is not what the request names. */
type KeyOf = Pick<Addressed, "versionId" | "keyId">;

/** What is copied; in a bucket of the same store, unless the plan says otherwise. */
export type Source = Omit<CopySource, "bucket"> & { readonly bucket: Bucket };

/** What the work is done with; what may have to be asked for is asked for when it is needed. */
export interface Operating<T> {
  readonly request: T;
  readonly bucket: Bucket;
  readonly grants: readonly Grant[];
  readonly source: Source | undefined;
  readonly draft: Draft;
  /** The customer key, which the event then names. */
  key(kind: KeyKind, of?: KeyOf): Promise<CustomerKey>;
  /** Does what needs the key that the object lies under, which the event then names. It is looked for anew where it moves. */
  underStored<R>(work: (key: CustomerKey) => Promise<R>, of?: KeyOf): Promise<R>;
  /** The same of the source of a copy. */
  underSource<R>(source: Source, work: (key: CustomerKey) => R | Promise<R>): Promise<R>;
  credentials(): Promise<Credentials>;
}

/**
 * Checks the request, authorises the caller and does the work, of which there is one event however it ends.
 *
 * @throws {Refused} forbidden; invalid-request where another store holds the source; what `read` and `work` throw
 */
export function operate<T extends Addressed, R>(
  { service, caller, trail, whichKey = new WhichKey(service) }: Asker,
  { operation, permission, read, copiesBetweenStores = false }: Plan<T>,
  work: (operating: Operating<T>) => Promise<R>,
): Promise<R> {
  const { config, secrets } = service;
  // A promise of its own would be one more for each item of a batch: the trail takes what is thrown as well.
  return trail.record((draft) => {
    if (operation !== undefined) draft.operation = operation;
    const request = read(draft);
    const { key, keyPrefix } = request;
    draft.bucket = request.bucket;
    draft.key = keyPrefix === undefined ? key : `${keyPrefix}\${filename}`;
    draft.versionId = request.versionId;
    draft.source = request.source as Draft["source"];
    const needed = typeof permission === "function" ? permission(request) : permission;
    const { bucket, grants } = authorise(config, caller, needed, {
      bucket: request.bucket,
      key: keyPrefix ?? key,
    });
    const wanted = ({ versionId, keyId }: KeyOf) => {
      if (keyPrefix !== undefined) requireSharedKey(bucket);
      return { bucket, key, versionId, keyId, keyIdPath: "keyId" };
    };
    const note = (customerKey: CustomerKey) => {
      draft.keyId = customerKey.id;
      draft.keyMD5 = customerKey.md5;
    };
    return work({
      request,
      bucket,
      grants,
      source:
        request.source &&
        sourceOf(request.source, copiesBetweenStores ? undefined : bucket.store, config, caller),
      draft,
      key: async (kind, of = request) => {
        const { uploadId } = request;
        const customerKey = await (kind === "stored"
          ? whichKey.forStored(wanted(of))
          : kind === "new" || uploadId === undefined
            ? whichKey.forNew(wanted(of))
            : whichKey.forUpload({ ...wanted(of), uploadId }));
        note(customerKey);
        return customerKey;
      },
      underStored: (work, of = request) =>
        whichKey.underStored(wanted(of), (customerKey) => {
          note(customerKey);
          return work(customerKey);
        }),
      underSource: (source, work) =>
        whichKey.underStored({ ...source, keyIdPath: "source.keyId" }, async (customerKey) => {
          if (draft.source) draft.source = { ...draft.source, keyId: customerKey.id };
          return work(customerKey);
        }),
      credentials: () => credentialsOf(bucket.store, secrets),
    });
  });
}

/** @param store the only one that it may be in */
function sourceOf(source: CopySource, store: Store | undefined, config: Config, caller: Caller): Source {
  const { bucket } = authorise(config, caller, "read", source);
  if (store === undefined || bucket.store === store) return { ...source, bucket };
  throw Refused.field(
    "source.bucket",
    "is in another store, which cannot copy: download the object and upload it",
  );
}

function requireSharedKey({ keys }: Bucket): void {
  if (!writer(keys, Date.now())?.derive) return;
  throw Refused.field(
    "keyPrefix",
    "this bucket's keys are derived from the object's whole name: give key instead",
  );
}
