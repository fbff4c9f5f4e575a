/** GetObject, HeadObject, GetObjectAttributes. */
import { asStored } from "../front/as-stored.ts";
import { getObject, type Reading } from "../objects/get-object.ts";
import type { Call } from "./call.ts";
import { marked } from "./etags.ts";
import { fieldsOf } from "./fields.ts";

export function readObject(call: Call): Promise<Response> {
  const { c, headers, query } = call;
  const method = c.req.method === "HEAD" ? "HEAD" : "GET";
  const operation = method === "HEAD" ? "HeadObject" : "GetObject";
  return call.onObject("read", async (reading) => {
    const asked: Reading = { method, headers, ...fieldsOf(operation, headers, query) };
    const { answer } = await getObject(reading, asked);
    return asStored(c, answer, {
      ...answer.headers,
      ...cacheControl(answer.cacheControl, call),
      ...etagHeader(answer.headers.etag),
      // What somebody has uploaded must not run as a page of this origin.
      "content-security-policy": "sandbox",
    });
  });
}

/**
 * The object's own. The platform compresses text on the way to whoever takes it compressed, and then nobody can tell whether
 * all of it came: unless it is told not to.
 */
function cacheControl(own: string | undefined, { c }: Call): Record<string, string> {
  const { clientAcceptEncoding } = ((c.req.raw as { cf?: unknown }).cf ?? {}) as {
    clientAcceptEncoding?: unknown;
  };
  const taken = typeof clientAcceptEncoding === "string" ? clientAcceptEncoding : "";
  const mayBeCompressed = c.req.method === "GET" && /gzip|br|zstd|deflate|\*/.test(taken);
  const isTold = /\bno-transform\b/i.test(own ?? "");
  const value = mayBeCompressed && !isTold ? [own, "no-transform"].filter(Boolean).join(", ") : own;
  return value === undefined ? {} : { "cache-control": value };
}

export function etagHeader(etag: string | undefined): Record<string, string> {
  return etag === undefined ? {} : { etag: marked(etag) };
}

/**
 * What a HEAD tells of an object, in XML. S3 itself names the parts of an object only where they have checksums of their
 * own, and gives their number in any case.
 */
export function objectAttributes(call: Call): Promise<Response> {
  const { headers, query } = call;
  return call.onObject("read", async (reading) => {
    const { versionId, objectAttributes = "" } = fieldsOf("GetObjectAttributes", headers, query);
    const attributes = objectAttributes.split(",");
    const asked = new Headers(headers);
    asked.set("x-amz-checksum-mode", "ENABLED");
    const { answer } = await getObject(reading, { method: "HEAD", headers: asked, versionId });
    const told = answer.headers;
    const etag = marked(told.etag ?? "").replaceAll('"', "");
    const parts = /-(\d+)$/.exec(etag)?.[1];
    const has = (name: string) => attributes.includes(name);
    const checksums = Object.entries(told).flatMap(([name, value]) => {
      const element = CHECKSUM_ELEMENTS[name];
      return element === undefined ? [] : [[element, value] as const];
    });
    return call.xml(
      "GetObjectAttributesResponse",
      {
        ETag: has("ETag") ? etag : undefined,
        Checksum: has("Checksum") && checksums.length > 0 ? Object.fromEntries(checksums) : undefined,
        ObjectParts: has("ObjectParts") && parts !== undefined ? { TotalPartsCount: parts } : undefined,
        StorageClass: has("StorageClass") ? (told["x-amz-storage-class"] ?? "STANDARD") : undefined,
        ObjectSize: has("ObjectSize") ? told["content-length"] : undefined,
      },
      Object.fromEntries(
        ["last-modified", "x-amz-version-id"].flatMap((name) =>
          told[name] === undefined ? [] : [[name, told[name]] as const],
        ),
      ),
    );
  });
}

const CHECKSUM_ELEMENTS: Readonly<Record<string, string>> = {
  "x-amz-checksum-crc32": "ChecksumCRC32",
  "x-amz-checksum-crc32c": "ChecksumCRC32C",
  "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME",
  "x-amz-checksum-sha1": "ChecksumSHA1",
  "x-amz-checksum-sha256": "ChecksumSHA256",
  "x-amz-checksum-type": "ChecksumType",
};
