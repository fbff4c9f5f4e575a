/** DeleteObjects: each object is an operation of its own, with its grant and its event; the store is asked once for all. */
import { chargeItems } from "../front/middleware.ts";
import { tooManyRequests } from "../front/rate-limit.ts";
import { Refused } from "../refused.ts";
import { objectName } from "../s3/api/object-key.ts";
import { S3Bucket } from "../s3/store/client.ts";
import { type Deleted, deleteAll, type NamedObject } from "../s3/store/delete-objects.ts";
import { elementsOf, textOf } from "../s3/store/xml.ts";
import { type Call, keyOf } from "./call.ts";
import { faultOf, S3Fault } from "./faults.ts";
import { type Children, malformed, readDocument } from "./xml.ts";

const MAX_OBJECTS = 1000;
/** What the log has room for of one request: the events' keys, and what each takes beside; bytes. */
const MAX_TOLD = 150_000;
const EACH = 120;

export async function deleteObjects(call: Call): Promise<Response> {
  const { objects, isQuiet } = wantedIn(await readDocument(call.body, "Delete"));
  // The first is what the request itself was counted for.
  const allowed = 1 + (await chargeItems(call.c, objects.length - 1));
  const batch = new Batch();
  let told = 0;
  const removing = objects.map((object, i) => {
    told += EACH + 2 * Buffer.byteLength(JSON.stringify([object.key, object.versionId]));
    return removeOne(call, object, batch, () => {
      if (i >= allowed) throw tooManyRequests();
      if (told > MAX_TOLD)
        throw new S3Fault(
          "SlowDown",
          "So many long names are too much for one request: delete it by another.",
        );
    });
  });
  await batch.send();
  const results = await Promise.all(removing);
  return call.xml("DeleteResult", {
    Deleted: results.flatMap(({ deleted }) => (deleted === undefined || isQuiet ? [] : [deleted])),
    Error: results.flatMap(({ error }) => (error === undefined ? [] : [error])),
  });
}

async function removeOne(
  call: Call,
  { key, versionId }: NamedObject,
  batch: Batch,
  admit: () => void,
): Promise<{ deleted?: Children; error?: Children }> {
  const { bucket } = call;
  const named = { Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
  try {
    const read = () => {
      admit();
      return { bucket, key: keyOf(key, objectName, "InvalidArgument"), versionId };
    };
    const plan = { operation: "DeleteObject", permission: "delete", read } as const;
    const { markerId } = await call.operate(plan, (removing) =>
      batch.add({ key, versionId }, async () => new S3Bucket(removing.bucket, await removing.credentials())),
    );
    const marker = markerId !== undefined && { DeleteMarker: true, DeleteMarkerVersionId: markerId };
    return { deleted: { ...named, ...marker } };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.operator !== undefined)
      call.c.get("trail").tell({ code: error.reason, message: error.operator });
    const { code, message } = faultOf(error);
    return { error: { ...named, Code: code, Message: message } };
  }
}

/** What is to be removed by one request to the store, which is sent when all have been let in. */
class Batch {
  readonly #waiting: {
    object: NamedObject;
    settle: (result: Refused | Deleted) => void;
    fail: (error: unknown) => void;
  }[] = [];
  #open: (() => Promise<S3Bucket>) | undefined;

  /** Settles when the store has removed it, or said why not. */
  add(object: NamedObject, open: () => Promise<S3Bucket>): Promise<Deleted> {
    this.#open = open;
    return new Promise((resolve, reject) => {
      const settle = (result: Refused | Deleted) =>
        result instanceof Refused ? reject(result) : resolve(result);
      this.#waiting.push({ object, settle, fail: reject });
    });
  }

  async send(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    try {
      const results = await deleteAll(
        await open(),
        this.#waiting.map(({ object }) => object),
      );
      for (const [i, { settle }] of this.#waiting.entries()) settle(results[i] ?? {});
    } catch (error) {
      for (const { fail } of this.#waiting) fail(error);
    }
  }
}

/** @throws {S3Fault} MalformedXML; NotImplemented for conditions */
function wantedIn(element: Parameters<typeof elementsOf>[0]): { objects: NamedObject[]; isQuiet: boolean } {
  const objects = elementsOf(element, "Object").map((object) => {
    const [key, versionId] = [textOf(object, "Key"), textOf(object, "VersionId")];
    if (key === undefined) throw malformed();
    const condition = ["ETag", "LastModifiedTime", "Size"].find((name) => textOf(object, name) !== undefined);
    if (condition !== undefined)
      throw new S3Fault("NotImplemented", `${condition} as a condition of DeleteObjects is not implemented.`);
    return { key, versionId: versionId || undefined };
  });
  if (objects.length === 0 || objects.length > MAX_OBJECTS) throw malformed();
  return { objects, isQuiet: textOf(element, "Quiet")?.trim() === "true" };
}
