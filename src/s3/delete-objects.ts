/**
 * DeleteObjects, which names objects in its body. Forms make keys with ".." as a segment, since a policy can only say how
 * a key begins, and no HTTP client sends a path that has one.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
import { createHash } from "node:crypto";
import type { Bucket } from "../config/load.ts";
import type { Credentials } from "./credentials.ts";
import { refusal, refusalOf, sendToStore } from "./fetch.ts";
import { xmlText } from "./xml-text.ts";

/** What the store has to answer, milliseconds. */
const TIME_LIMIT = 30_000;

interface NamedObject {
  readonly bucket: Bucket;
  /** Of characters that XML 1.0 has. */
  readonly key: string;
  readonly versionId: string | undefined;
}

/** @throws {Problem} what the store's refusal means; store-error, store-timeout */
export async function deleteByName(
  { bucket, key, versionId }: NamedObject,
  credentials: Credentials,
): Promise<void> {
  const version = versionId === undefined ? "" : `<VersionId>${xmlText(versionId)}</VersionId>`;
  const body = new TextEncoder().encode(
    `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet><Object><Key>${xmlText(key)}</Key>${version}</Object></Delete>`,
  );
  const request = {
    method: "POST",
    bucket,
    key: "",
    query: { delete: "" },
    headers: {
      "content-type": "application/xml",
      "content-md5": createHash("md5").update(body).digest("base64"),
    },
  };
  const response = await sendToStore(request, { credentials, body, timeLimit: TIME_LIMIT });
  if (response.status !== 200) throw await refusalOf(response, request);
  // Quiet, it names only what it could not do.
  const code = /<Error>.*?<Code>(\w{1,64})<\/Code>/s.exec(await response.text())?.[1];
  if (code !== undefined && code !== "NoSuchKey") throw refusal(403, code, request);
}
