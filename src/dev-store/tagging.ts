/** GetObjectTagging, PutObjectTagging, DeleteObjectTagging. */
import { documentOf } from "./body.ts";
import { answer, type Call } from "./call.ts";
import { type Tags, tagsInXml, tagsXml } from "./tags.ts";
import { objectOf, versionHeaders, versionIdOf } from "./versions.ts";

export async function getObjectTagging(call: Call): Promise<void> {
  const row = objectOf(call, versionIdOf(call));
  answer(call, 200, versionHeaders(call, row.version), tagsXml(row.tags));
}

export async function putObjectTagging(call: Call): Promise<void> {
  const tags = tagsInXml(await documentOf(call));
  answer(call, 200, update(call, tags));
}

export async function deleteObjectTagging(call: Call): Promise<void> {
  answer(call, 204, update(call, []));
}

function update(call: Call, tags: Tags): Record<string, string> {
  const row = objectOf(call, versionIdOf(call));
  call.store.database.updateVersion(call.bucket, { ...row, tags });
  return versionHeaders(call, row.version);
}
