/**
 * DeleteObjects, which names objects in its body. Forms make keys with ".." as a segment, since a policy can only say how
 * a key begins, and no HTTP client sends a path that has one.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
import { createHash } from "node:crypto";
import { escapeXml } from "../api/escape-xml.ts";
import type { S3Bucket } from "./client.ts";
import { refusalIn } from "./fetch.ts";
import { elementsOf, textOf } from "./xml.ts";

const NAME = "DeleteObjects";

interface NamedObject {
  /** Of characters that XML 1.0 has. */
  readonly key: string;
  readonly versionId: string | undefined;
}

/** An object that is not there is gone already. @throws {Refused} what the store's refusal means; store-error, store-timeout */
export async function deleteByName(store: S3Bucket, { key, versionId }: NamedObject): Promise<void> {
  const version = versionId === undefined ? "" : `<VersionId>${escapeXml(versionId)}</VersionId>`;
  const object = `<Object><Key>${escapeXml(key)}</Key>${version}</Object>`;
  // Quiet, it answers only what it could not do.
  const body = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${object}</Delete>`;
  const headers = {
    "content-type": "application/xml",
    "content-md5": createHash("md5").update(body).digest("base64"),
  };
  const request = { name: NAME, method: "POST", query: { delete: "" }, headers, body };
  const { element } = await store.run(request, "DeleteResult");
  const [error] = elementsOf(element, "Error");
  if (error === undefined || textOf(error, "Code") === "NoSuchKey") return;
  throw await refusalIn(error, { method: NAME, bucket: store.bucket });
}
