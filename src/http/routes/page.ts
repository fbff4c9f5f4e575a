/** GET /: a page that uploads and downloads in the browser, straight to and from the store. */
import { Hono } from "hono";
import type { AppEnv } from "../../front/context.ts";

const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ssec-edge</title>
<link rel="icon" href="data:,">
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; color: #1c2733; }
  label { display: block; margin: .8rem 0 .2rem; }
  input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem .6rem; border: 1px solid #9fb0c0; border-radius: .4rem; }
  button { font: inherit; margin: 1rem .6rem 0 0; padding: .5rem 1.2rem; border: 0; border-radius: .4rem; background: #14507a; color: #fff; }
  button:disabled { opacity: .5; }
  progress { width: 100%; margin-top: 1rem; }
  output { display: block; margin-top: .6rem; white-space: pre-wrap; }
</style>
<h1>ssec-edge</h1>
<p>Files go straight between this browser and the store, encrypted there under a customer key.</p>
<form>
  <label for="token">Token</label><input id="token" type="password" autocomplete="off" required>
  <label for="bucket">Bucket</label><input id="bucket" value="media" required>
  <label for="key">Object key</label><input id="key" placeholder="the file's name">
  <label for="file">File</label><input id="file" type="file">
  <button id="upload">Upload</button><button id="download">Download</button>
</form>
<progress id="progress" value="0" max="1"></progress>
<output id="said" aria-live="polite"></output>
<script src="page.js"></script>
</html>
`;

const SCRIPT = `"use strict";
const at = (id) => document.getElementById(id);
const ENCRYPTED = "x-amz-server-side-encryption-customer-algorithm";
const say = (text) => { at("said").textContent = text; };

// A redirect could take the key, and the token, to another host: none is followed.
const CAREFUL = { redirect: "error", cache: "no-store" };

async function presign(request) {
  const response = await fetch("v1/presign", {
    ...CAREFUL,
    method: "POST",
    headers: { authorization: "Bearer " + at("token").value, "content-type": "application/json" },
    body: JSON.stringify({ bucket: at("bucket").value, ...request }),
  }).catch(() => { throw new Error("The service does not answer."); });
  const answer = await response.json().catch(() => ({ detail: "The service answered " + response.status + "." }));
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

function send({ method, url, headers }, body) {
  return fetch(url, { ...CAREFUL, method, headers, body }).catch(() => {
    throw new Error("The store does not answer, would send this elsewhere, or its CORS rules do not allow this page.");
  });
}

const refusal = (response) => new Error("The store answered " + response.status + ".");

// Until it is known how far something has come, the bar only moves.
function show(loaded, total) {
  if (total) at("progress").value = loaded / total;
  else at("progress").removeAttribute("value");
}

// Whether the key field holds what somebody typed for the next transfer; else it follows the file.
let isTyped = false;
at("key").addEventListener("input", () => { isTyped = at("key").value !== ""; });
at("file").addEventListener("change", () => {
  const [file] = at("file").files;
  if (file && !isTyped) at("key").value = file.name;
});

async function upload() {
  const [file] = at("file").files;
  if (!file) throw new Error("Choose a file first.");
  const key = at("key").value || file.name;
  const request = { operation: "PutObject", key, contentLength: file.size, ...(file.type && { contentType: file.type }) };
  show();
  let done = await send(await presign({ ...request, ifNoneMatch: "*" }), file);
  if (done.status === 412) {
    if (!confirm("There is an object " + key + " already. Replace it?")) return "Nothing was uploaded: " + key + " stays as it was.";
    done = await send(await presign(request), file);
  }
  if (!done.ok) throw refusal(done);
  if (done.headers.get(ENCRYPTED) !== "AES256") throw new Error("The store did not say that it encrypted.");
  at("key").value = key;
  return "Uploaded " + key + ", " + file.size + " bytes, encrypted.";
}

async function download() {
  const key = at("key").value;
  if (!key) throw new Error("Name the object key first.");
  show();
  const response = await send(await presign({ operation: "GetObject", key }));
  if (!response.ok) throw refusal(response);
  const chunks = [];
  let loaded = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    show(loaded += value.length, Number(response.headers.get("content-length")));
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(chunks));
  link.download = key.split("/").at(-1) || "object";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  return "Downloaded " + key + ", " + loaded + " bytes.";
}

document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const controls = [at("upload"), at("download"), at("file"), at("key"), at("bucket")];
  for (const control of controls) control.disabled = true;
  say("");
  try {
    say(await (event.submitter === at("download") ? download() : upload()));
    isTyped = false;
    show(1, 1);
  } catch (error) {
    say(error.message);
    show(0, 1);
  }
  for (const control of controls) control.disabled = false;
});
`;

const HEADERS = {
  // The store may be anywhere; scripts only here.
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; connect-src 'self' https: http:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

export const pageRoutes = new Hono<AppEnv>()
  .get("/", (c) => {
    const { pathname } = new URL(c.req.url);
    // What the page names is beside it, which is told by the slash.
    if (!pathname.endsWith("/")) return c.redirect(`./${pathname.split("/").at(-1)}/`, 308);
    return c.html(HTML, 200, HEADERS);
  })
  .get("/page.js", (c) =>
    c.body(SCRIPT, 200, { ...HEADERS, "content-type": "text/javascript; charset=utf-8" }),
  );
