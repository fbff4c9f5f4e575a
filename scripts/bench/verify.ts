/** Every URL that is timed is verified: rebuilt from what it says is signed, and signed again by AWS's signer. */
import { verify } from "../../src/dev-store/sigv4.ts";
import { CREDENTIALS, HOST, SITE } from "./peers/peer.ts";
import type { Signed } from "./signing.ts";

/** @throws when one is not right */
export async function verifyAll(signed: readonly Signed[]): Promise<void> {
  for (const answer of signed) {
    const { url, headers } = answer;
    if (url === undefined) throw new Error(`no URL was answered: ${JSON.stringify(answer)}`);
    const { searchParams, pathname } = new URL(url);
    const sent = Object.entries({ host: HOST, ...headers }).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]);
    const target = {
      method: "GET",
      host: HOST,
      path: decodeURIComponent(pathname),
      query: Object.fromEntries(searchParams),
      bucket: SITE.bucket,
      key: decodeURIComponent(pathname.slice(1)),
    };
    await verify(target, Object.fromEntries(sent), {
      credentials: CREDENTIALS,
      region: SITE.region,
      now: Date.now,
    });
  }
}
