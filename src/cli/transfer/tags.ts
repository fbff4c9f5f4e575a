/** The tags of an object: HEAD tells only how many there are. */
import { XMLParser } from "fast-xml-parser";
import type { Api } from "../api.ts";
import type { ObjectName } from "./location.ts";
import { presign } from "./presigned.ts";
import { askStore } from "./store.ts";

const parser = new XMLParser({
  ignoreDeclaration: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: (name) => name === "Tag",
});

/** As the API takes them: `a=1&b=2`, percent-encoded. */
export async function readTags(api: Api, object: ObjectName): Promise<string> {
  const request = await presign(api, { operation: "GetObjectTagging", ...object });
  const { text } = await askStore(async () => ({ request }));
  const { Tagging } = parser.parse(text) as {
    Tagging?: { TagSet?: { Tag?: { Key?: string; Value?: string }[] } };
  };
  const tags = Tagging?.TagSet?.Tag ?? [];
  return tags.map(({ Key = "", Value = "" }) => `${encoded(Key)}=${encoded(Value)}`).join("&");
}

/** Replaces all tags of an object. */
export async function writeTags(api: Api, object: ObjectName, tagging: string): Promise<void> {
  const { body = "", ...request } = await presign(api, { operation: "PutObjectTagging", ...object, tagging });
  const bytes = Buffer.from(body);
  const headers = { ...request.headers, "content-length": String(bytes.length) };
  await askStore(async () => ({ request: { ...request, headers }, body: only(bytes) }));
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** As SigV4 has it: what encodeURIComponent leaves is encoded too. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
