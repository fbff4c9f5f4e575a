/** ACLs are off, as in AWS's new buckets: they can be read, and put as they are. */
import { checkAcl } from "./attributes.ts";
import { documentOf } from "./body.ts";
import { answer, type Call } from "./call.ts";
import { S3Error } from "./errors.ts";
import { OWNER } from "./owner.ts";
import { objectOf, versionHeaders, versionIdOf } from "./versions.ts";
import { all, allElements, parseXml, text, xml } from "./xml.ts";

export async function getAcl(call: Call): Promise<void> {
  const headers = call.key === "" ? {} : versionHeaders(call, objectOf(call, versionIdOf(call)).version);
  const grantee = {
    "@xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "@xsi:type": "CanonicalUser",
    ...OWNER,
  };
  const content = {
    Owner: OWNER,
    AccessControlList: { Grant: { Grantee: grantee, Permission: "FULL_CONTROL" } },
  };
  answer(call, 200, headers, xml("AccessControlPolicy", content));
}

export async function putAcl(call: Call): Promise<void> {
  checkAcl(call.headers);
  const document = await documentOf({ ...call, headers: { "content-length": "0", ...call.headers } });
  if (call.key !== "") objectOf(call, versionIdOf(call));
  if (document !== "") {
    const [list] = allElements(parseXml(document, "AccessControlPolicy"), "AccessControlList");
    const grants = list === undefined ? [] : allElements(list, "Grant");
    const isOwners = grants.every(
      (grant) =>
        text(grant, "Permission") === "FULL_CONTROL" &&
        allElements(grant, "Grantee").every((grantee) => all(grantee, "ID").every((id) => id === OWNER.ID)) &&
        allElements(grant, "Grantee").some((grantee) => all(grantee, "ID").length === 1),
    );
    if (!isOwners) throw new S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs");
  }
  answer(call, 200);
}
