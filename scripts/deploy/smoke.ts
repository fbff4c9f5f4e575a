/** Whether a deployed Worker works: it can use its secrets, knows its callers, and presigns. */
import { setTimeout as sleep } from "node:timers/promises";
import { Api } from "../../src/cli/api.ts";

/** A new address, or version, is not everywhere at once. Milliseconds. */
const PATIENCE = 20_000;

interface Me {
  readonly caller: string;
  readonly grants: readonly {
    readonly bucket: string;
    readonly prefix: string;
    readonly allow: readonly string[];
    readonly contentTypes?: readonly string[];
  }[];
}

/** @throws saying what does not work */
export async function smokeTest(url: string): Promise<void> {
  await untilHealthy(url);
  console.log(`✓ ${url}/healthz: the configuration and every secret can be used`);
  if (!process.env.SSEC_TOKEN) {
    return console.log("· SSEC_TOKEN is not set, so nothing was asked for as a caller");
  }
  const api = new Api({ url });
  const { caller, grants } = await api.get<Me>("/v1/me");
  console.log(`✓ the token is that of ${caller}`);
  const grant = grants.find(({ allow }) => allow.includes("write"));
  if (grant === undefined) return console.log(`· ${caller} may not write, so no upload was presigned`);
  const [contentType] = grant.contentTypes ?? [];
  // A form is presigned everywhere, also where presignedUploads = false.
  await api.post("/v1/presign", {
    operation: "PostObject",
    bucket: grant.bucket,
    key: `${grant.prefix}ssec-edge-smoke-test`,
    expiresIn: 1,
    ...(contentType && { contentType: contentType.replaceAll("*", "x-smoke-test") }),
  });
  console.log(`✓ an upload to ${grant.bucket} is presigned`);
}

async function untilHealthy(url: string): Promise<void> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await fetch(new URL("/healthz", url), { redirect: "manual" }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    if (Date.now() > end) {
      throw new Error(
        answer === undefined
          ? `${url} does not answer`
          : `${url}/healthz says ${answer.status}: npx wrangler tail shows why`,
      );
    }
    await sleep(1000);
  }
}
