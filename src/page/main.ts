/** The page at `/`: files go straight between the browser and the store. */
const at = <T extends HTMLElement = HTMLInputElement>(id: string) => document.getElementById(id) as T;
const ENCRYPTED = "x-amz-server-side-encryption-customer-algorithm";
const say = (text: string) => {
  at<HTMLOutputElement>("said").textContent = text;
};

// A redirect could take the key, and the token, to another host: none is followed.
const CAREFUL = { redirect: "error", cache: "no-store" } as const;

interface Presigned {
  method: string;
  url: string;
  headers: Record<string, string>;
}

async function presign(request: object): Promise<Presigned> {
  const response = await fetch("v1/presign", {
    ...CAREFUL,
    method: "POST",
    headers: { authorization: `Bearer ${at("token").value}`, "content-type": "application/json" },
    body: JSON.stringify({ bucket: at("bucket").value, ...request }),
  }).catch(() => {
    throw new Error("The service does not answer.");
  });
  const answer = await response.json().catch(() => ({ detail: `The service answered ${response.status}.` }));
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

function send({ method, url, headers }: Presigned, body?: Blob): Promise<Response> {
  return fetch(url, { ...CAREFUL, method, headers, body: body ?? null }).catch(() => {
    throw new Error(
      "The store does not answer, would send this elsewhere, or its CORS rules do not allow this page.",
    );
  });
}

const refusal = (response: Response) => new Error(`The store answered ${response.status}.`);

// Until it is known how far something has come, the bar only moves.
function show(loaded?: number, total?: number) {
  const bar = at<HTMLProgressElement>("progress");
  if (loaded !== undefined && total) bar.value = loaded / total;
  else bar.removeAttribute("value");
}

// Whether the key field holds what somebody typed for the next transfer; else it follows the file.
let isTyped = false;
at("key").addEventListener("input", () => {
  isTyped = at("key").value !== "";
});
at("file").addEventListener("change", () => {
  const [file] = at("file").files ?? [];
  if (file && !isTyped) at("key").value = file.name;
});

async function upload(): Promise<string> {
  const [file] = at("file").files ?? [];
  if (!file) throw new Error("Choose a file first.");
  const key = at("key").value || file.name;
  const request = {
    operation: "PutObject",
    key,
    contentLength: file.size,
    ...(file.type && { contentType: file.type }),
  };
  show();
  let done = await send(await presign({ ...request, ifNoneMatch: "*" }), file);
  if (done.status === 412) {
    if (!confirm(`There is an object ${key} already. Replace it?`))
      return `Nothing was uploaded: ${key} stays as it was.`;
    done = await send(await presign(request), file);
  }
  if (!done.ok) throw refusal(done);
  if (done.headers.get(ENCRYPTED) !== "AES256") throw new Error("The store did not say that it encrypted.");
  at("key").value = key;
  return `Uploaded ${key}, ${file.size} bytes, encrypted.`;
}

async function download(): Promise<string> {
  const key = at("key").value;
  if (!key) throw new Error("Name the object key first.");
  show();
  const response = await send(await presign({ operation: "GetObject", key }));
  if (!response.ok || !response.body) throw refusal(response);
  const chunks = [];
  let loaded = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    show(loaded, Number(response.headers.get("content-length")));
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(chunks));
  link.download = key.split("/").at(-1) || "object";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  return `Downloaded ${key}, ${loaded} bytes.`;
}

document.querySelector("form")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const controls = ["upload", "download", "file", "key", "bucket"].map((id) => at(id));
  for (const control of controls) control.disabled = true;
  say("");
  try {
    say(await (event.submitter === at<HTMLElement>("download") ? download() : upload()));
    isTyped = false;
    show(1, 1);
  } catch (error) {
    say((error as Error).message);
    show(0, 1);
  }
  for (const control of controls) control.disabled = false;
});
