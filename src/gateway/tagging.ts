/** An object's tags. They lie beside the object, under no key. */

import { tagging } from "../s3/api/tags.ts";
import { S3Bucket } from "../s3/store/client.ts";
import { readTags, removeTags, writeTags } from "../s3/store/tagging.ts";
import { elementsOf, textOf } from "../s3/store/xml.ts";
import { check } from "../validation.ts";
import type { Call } from "./call.ts";
import { S3Fault } from "./faults.ts";
import { single } from "./fields.ts";
import { versionHeader } from "./write-object.ts";
import { malformed, readDocument } from "./xml.ts";

export function getTags(call: Call): Promise<Response> {
  return onTags(call, "read", async (store, versionId) => {
    const tags = new URLSearchParams(await readTags(store, call.key, versionId));
    return call.xml(
      "Tagging",
      { TagSet: { Tag: [...tags].map(([Key, Value]) => ({ Key, Value })) } },
      versionHeader(versionId),
    );
  });
}

export function putTags(call: Call): Promise<Response> {
  return onTags(call, "write", async (store, versionId) => {
    const element = await readDocument(call.body, "Tagging");
    const [set, ...others] = elementsOf(element, "TagSet");
    if (others.length > 0) throw malformed();
    const tags = elementsOf(set ?? {}, "Tag").map((tag) => {
      const [name, value] = [textOf(tag, "Key"), textOf(tag, "Value")];
      if (name === undefined || value === undefined) throw malformed();
      return [name, value] as const;
    });
    if (tags.length === 0) await removeTags(store, call.key, versionId);
    else await writeTags(store, call.key, checked(tags), versionId);
    return call.empty(200, versionHeader(versionId));
  });
}

export function deleteTags(call: Call): Promise<Response> {
  return onTags(call, "write", async (store, versionId) => {
    await removeTags(store, call.key, versionId);
    return call.empty(204, versionHeader(versionId));
  });
}

function onTags(
  call: Call,
  permission: "read" | "write",
  work: (store: S3Bucket, versionId: string | undefined) => Promise<Response>,
): Promise<Response> {
  const versionId = single(call.query, "versionId");
  return call.onObject(
    permission,
    async ({ bucket, ...use }) => work(new S3Bucket(bucket, await use.credentials()), versionId),
    () => ({ versionId }),
  );
}

/** As a header has them. @throws {S3Fault} InvalidTag */
function checked(tags: readonly (readonly [name: string, value: string])[]): string {
  const spelt = tags
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
  const found = check(tagging, spelt);
  if (found.ok) return found.value;
  throw new S3Fault("InvalidTag", `The tags ${found.errors[0]?.message ?? "are not valid"}.`);
}
