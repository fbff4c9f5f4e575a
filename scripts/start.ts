/** `npm start`: the whole thing on this machine, until Ctrl-C. */
import { fileURLToPath } from "node:url";
import { BUCKET, startLocal } from "./local.ts";

const dir = fileURLToPath(new URL("../.ssec", import.meta.url));

// What this and its children write is nobody else's to read.
process.umask(0o077);
try {
  const { url, storeUrl, token, tokenFile, close } = await startLocal({
    dir,
    workerPort: 8787,
    storePort: 9000,
  });
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

  const request = JSON.stringify({ operation: "PutObject", bucket: BUCKET, key: "hello.txt" });
  // The token is read from its file: a shell's history and `ps` would keep and show what is typed.
  console.log(`
ssec-edge is running, with a store for development only (data and keys in .ssec/).

  page      ${url}/
  store     ${storeUrl}
  token     ${token}

Open the page and paste the token to upload and download; or ask for a presigned URL, in another terminal:

export TOKEN=$(cat ${shellQuoted(tokenFile)})
curl -s ${url}/v1/presign -H @- -d '${request}' <<END
authorization: Bearer $TOKEN
END

README.md goes on from there. Pages on localhost may call, from any port. Ctrl-C ends it.`);
} catch (error) {
  console.error(`npm start: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

function shellQuoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
