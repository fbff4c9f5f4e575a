/** GetObjectAttributes. */
import { answer, type Call, header } from "./call.ts";
import { checksumElements, partElements } from "./checksums.ts";
import { S3Error } from "./errors.ts";
import type { ObjectRow } from "./rows.ts";
import { checkOpens, refuseManaged, sseKeyOf } from "./ssec.ts";
import { objectOf, versionHeaders, versionIdOf } from "./versions.ts";
import { xml } from "./xml.ts";

const ATTRIBUTES = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

export async function getObjectAttributes(call: Call): Promise<void> {
  refuseManaged(call.headers);
  const wanted = (header(call, "x-amz-object-attributes") ?? "").split(",").map((name) => name.trim());
  if (wanted.some((name) => !ATTRIBUTES.includes(name))) {
    throw new S3Error("InvalidArgument", "Invalid attribute name specified.", {
      ArgumentName: "x-amz-object-attributes",
    });
  }
  const row = objectOf(call, versionIdOf(call));
  checkOpens(row.keyMd5, sseKeyOf(call.headers));
  const { etag, size, checksum, headers } = row;
  const all: Record<string, unknown> = {
    ETag: etag,
    ...(checksum && { Checksum: checksumElements(checksum) }),
    ...(row.parts.length > 0 && { ObjectParts: partsOf(call, row) }),
    StorageClass: headers["x-amz-storage-class"] ?? "STANDARD",
    ObjectSize: size,
  };
  answer(
    call,
    200,
    { "last-modified": new Date(row.modified).toUTCString(), ...versionHeaders(call, row.version) },
    xml(
      "GetObjectAttributesResponse",
      Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name))),
    ),
  );
}

/** Each part by itself only where it has a checksum. */
function partsOf(call: Call, { parts, checksum }: ObjectRow): Record<string, unknown> {
  const [max, marker] = ["x-amz-max-parts", "x-amz-part-number-marker"].map((name, i) => {
    const given = header(call, name) ?? (i === 0 ? "1000" : "0");
    if (/^\d{1,5}$/.test(given)) return Number(given);
    throw new S3Error("InvalidArgument", `${name} must be a whole number`, { ArgumentName: name });
  }) as [number, number];
  if (checksum === undefined) return { PartsCount: parts.length };
  const after = parts.filter(({ number }) => number > marker);
  const page = after.slice(0, Math.min(max, 1000));
  return {
    PartsCount: parts.length,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.number ?? marker,
    MaxParts: Math.min(max, 1000),
    IsTruncated: after.length > page.length,
    Part: page.map(({ number, size, checksum: value }) => ({
      PartNumber: number,
      Size: size,
      ...partElements(value ? { algorithm: checksum.algorithm, value } : undefined),
    })),
  };
}
