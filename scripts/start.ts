/** `npm start`: the whole thing on this machine, until Ctrl-C. */
import { fileURLToPath } from "node:url";
import { BUCKET, startLocal } from "./local.ts";

const dir = fileURLToPath(new URL("../.ssec", import.meta.url));

// What this and its children write is nobody else's to read.
process.umask(0o077);
try {
  const { url, storeUrl, token, close } = await startLocal({ dir, workerPort: 8787, storePort: 9000 });
  // A terminal's Ctrl-C comes twice: from the terminal, and passed on by npm.
  let isClosing = false;
  const stop = async () => {
    if (isClosing) return;
    isClosing = true;
    await close();
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);

  const request = JSON.stringify({
    operation: "PutObject",
    bucket: BUCKET,
    key: "hello.txt",
    snippet: "curl",
  });
  console.log(`
ssec-edge is running, with a store for development only (data and keys in .ssec/).

  page      ${url}/
  store     ${storeUrl}
  token     ${token}

Open the page and paste the token to upload and download, or ask for a presigned URL, and the curl command that uses it:

curl -s ${url}/v1/presign -H @- -d '${request}' <<END
authorization: Bearer ${token}
END

Ctrl-C ends it.`);
} catch (error) {
  console.error(`npm start: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
