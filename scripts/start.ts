/** `npm start`: the whole thing on this machine, until Ctrl-C. */
import { fileURLToPath } from "node:url";
import { BUCKET, CALLER, startLocal } from "./local.ts";

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

  page      ${url}/#token=${token}
  S3        ${url}/s3
  store     ${storeUrl}
  token     ${token}

Open the page, whose link signs you in, to upload and download; or ask for a presigned URL, in another terminal:

export TOKEN=$(cat ${shellQuoted(tokenFile)})
curl -s ${url}/v1/presign -H @- -d '${request}' <<END
authorization: Bearer $TOKEN
END

S3's own clients need no key either (docs/gateway.md):

export AWS_ACCESS_KEY_ID=${CALLER} AWS_SECRET_ACCESS_KEY="$(cat ${shellQuoted(tokenFile)})" AWS_DEFAULT_REGION=us-east-1
aws --endpoint-url ${url}/s3 s3 ls s3://${BUCKET}

README.md goes on from there. Pages on localhost may call, from any port. Ctrl-C ends it.`);
} catch (error) {
  console.error(`npm start: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

function shellQuoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
