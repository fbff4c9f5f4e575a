/**
 * Access control lists, as far as an object has more than its owner's own.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
 */
import type { S3Bucket } from "./client.ts";
import { elementsOf, textOf } from "./xml.ts";

const HEADERS: Readonly<Record<string, string>> = {
  FULL_CONTROL: "x-amz-grant-full-control",
  READ: "x-amz-grant-read",
  READ_ACP: "x-amz-grant-read-acp",
  WRITE_ACP: "x-amz-grant-write-acp",
};

/**
 * The headers that give a new object the list of this one; none where it has nothing but its owner's.
 *
 * @throws {Refused} what the store's refusal means; store-error, store-timeout
 */
export async function grantHeaders(
  store: S3Bucket,
  key: string,
  versionId?: string,
): Promise<Record<string, string>> {
  const query = { acl: "", ...(versionId !== undefined && { versionId }) };
  const request = { name: "GetObjectAcl", method: "GET", key, query };
  const { element } = await store.run(request, "AccessControlPolicy");
  const [owner = {}] = elementsOf(element, "Owner");
  const [list = {}] = elementsOf(element, "AccessControlList");
  const grants = elementsOf(list, "Grant").map((grant) => {
    const [grantee = {}] = elementsOf(grant, "Grantee");
    return {
      permission: textOf(grant, "Permission") ?? "",
      id: textOf(grantee, "ID"),
      uri: textOf(grantee, "URI"),
    };
  });
  const isOwners = ({ permission, id }: (typeof grants)[number]) =>
    permission === "FULL_CONTROL" && id === textOf(owner, "ID");
  if (grants.every(isOwners)) return {};
  const headers: Record<string, string> = {};
  for (const { permission, id, uri } of grants) {
    const name = HEADERS[permission];
    const to = id !== undefined ? `id="${id}"` : uri !== undefined ? `uri="${uri}"` : undefined;
    if (name === undefined || to === undefined) continue;
    headers[name] = headers[name] === undefined ? to : `${headers[name]}, ${to}`;
  }
  return headers;
}
