/** What a refused HEAD cannot say, since it has no words. A GET of nothing but a byte has. */
import type { Refused } from "../../refused.ts";
import { readRefusal, type Sending, type StoreRequest, sendToStore } from "./fetch.ts";

/**
 * What is wrong, where a HEAD was 400 or 403 and it is not the customer key: the version, a session token that has
 * expired, a clock. Undefined where it may well be the key.
 *
 * @param head the request that was refused
 * @throws {Refused} store-error, store-timeout
 */
export async function faultBesideKey(
  head: StoreRequest,
  sending: Omit<Sending, "body">,
): Promise<Refused | undefined> {
  const request = { ...head, method: "GET", headers: { ...head.headers, range: "bytes=0-0" } };
  const response = await sendToStore(request, sending);
  if (response.status < 300) {
    await response.body?.cancel();
    return undefined;
  }
  const { mayBeAboutKey, refused } = await readRefusal(response, request);
  return mayBeAboutKey ? undefined : refused;
}
