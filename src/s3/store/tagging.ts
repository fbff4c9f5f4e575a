/** An object's tags, read and written where they lie: beside the object, under no key. */
import { encodeRfc3986 } from "../api/encode.ts";
import { tagsXml } from "../api/tags.ts";
import type { S3Bucket } from "./client.ts";
import { elementsOf, textOf } from "./xml.ts";

const { createHash } = process.getBuiltinModule("node:crypto");

/** How many tags an object has, in the answer to a HEAD that may tell. */
export const TAG_COUNT_HEADER = "x-amz-tagging-count";

/** As a header has them: `a=1&b=2`. @throws {Refused} what the store's refusal means; store-error, store-timeout */
export async function readTags(store: S3Bucket, key: string, versionId?: string): Promise<string> {
  const request = { name: "GetObjectTagging", method: "GET", key, query: queryOf(versionId) };
  const { element } = await store.run(request, "Tagging");
  const [set = {}] = elementsOf(element, "TagSet");
  return elementsOf(set, "Tag")
    .map((tag) => `${encodeRfc3986(textOf(tag, "Key") ?? "")}=${encodeRfc3986(textOf(tag, "Value") ?? "")}`)
    .join("&");
}

/** @throws {Refused} what the store's refusal means; store-error, store-timeout */
export async function writeTags(
  store: S3Bucket,
  key: string,
  tagging: string,
  versionId?: string,
): Promise<void> {
  const body = tagsXml(tagging);
  const headers = {
    "content-type": "application/xml",
    "content-md5": createHash("md5").update(body).digest("base64"),
  };
  await store.run(
    { name: "PutObjectTagging", method: "PUT", key, query: queryOf(versionId), headers, body },
    undefined,
  );
}

/** @throws {Refused} what the store's refusal means; store-error, store-timeout */
export async function removeTags(store: S3Bucket, key: string, versionId?: string): Promise<void> {
  await store.run(
    { name: "DeleteObjectTagging", method: "DELETE", key, query: queryOf(versionId) },
    undefined,
  );
}

function queryOf(versionId: string | undefined): Record<string, string> {
  return { tagging: "", ...(versionId !== undefined && { versionId }) };
}
