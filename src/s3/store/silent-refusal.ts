/** Whether it is the version that a store refuses. A refused HEAD has no words; a GET of nothing but a byte has. */
import type { Refused } from "../../refused.ts";
import { readRefusal, type Sending, type StoreRequest, sendToStore } from "./fetch.ts";

/**
 * What is wrong with the version of an object, where a HEAD was 400; undefined where nothing is, or none was asked for.
 *
 * @param head the request that was refused
 * @throws {Refused} store-error, store-timeout
 */
export async function versionFault(
  head: StoreRequest,
  sending: Omit<Sending, "body">,
): Promise<Refused | undefined> {
  if (head.query.versionId === undefined) return undefined;
  const request = { ...head, method: "GET", headers: { ...head.headers, range: "bytes=0-0" } };
  const response = await sendToStore(request, sending);
  if (response.status < 300) {
    await response.body?.cancel();
    return undefined;
  }
  const { code, argument, refused } = await readRefusal(response, request);
  return code === "NoSuchVersion" || argument === "versionId" ? refused : undefined;
}
