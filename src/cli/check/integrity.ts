/** Whether the store holds an upload to what is said of its bytes, and keeps what is told it beside them. */
import { createHash, randomBytes } from "node:crypto";
import { customerKeyHeaders } from "../../keys/headers.ts";
import type { StoreClient } from "./client.ts";
import { type Answer, elements, isDone, said } from "./http.ts";
import { getUnder, type Trial, type TrialObject } from "./object.ts";
import { isMissing, refused } from "./refusal.ts";
import { all, bad, byOperation, type Outcome, off, ok, warn } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import { isUpload, Upload } from "./upload.ts";

/** Bytes of each checksum. */
const CHECKSUMS = {
  "x-amz-checksum-sha256": 32,
  "x-amz-checksum-sha1": 20,
  "x-amz-checksum-crc32": 4,
  "x-amz-checksum-crc32c": 4,
  "x-amz-checksum-crc64nvme": 8,
} as const;
const SHA256 = "x-amz-checksum-sha256";

type Headers = Readonly<Record<string, string>>;

/** An upload with a header about its bytes, and what became of it. */
interface Sent {
  readonly operation: "PUT" | "UploadPart";
  /** The header. */
  readonly what: string;
  readonly answer: Answer;
}

/** A wrong checksum of each kind is to be refused; a right one taken, and echoed as a sign that it was looked at. */
export async function checksum(store: StoreClient, scratch: Scratch, trial: Trial): Promise<Outcome> {
  const wrong = Object.entries(CHECKSUMS).map(([name, length]) => [name, random(length)] as const);
  const object = await trial("checksum");
  const digest = createHash("sha256").update(object.body).digest("base64");
  const [right, ...others] = await all([
    put(scratch, object, SHA256, digest),
    ...wrong.map(async ([name, value]) => put(scratch, await trial(name), name, value)),
    part(store, scratch, await trial("checksum-part"), SHA256, random(CHECKSUMS[SHA256])),
  ]);
  const taken = takenOf(others);
  if (taken.length > 0)
    return warn(
      `a wrong one is taken: ${byOperation(taken)}`,
      "The store does not look at it, and nothing tells a client whose bytes were damaged on their way. For presigned uploads give contentMD5, where the store holds them to that.",
    );
  if (right === undefined || !isDone(right.answer)) return refused(right?.answer ?? NOTHING_SENT);
  return right.answer.headers[SHA256] === digest
    ? ok("a wrong one is refused, a right one echoed")
    : warn("a wrong one is refused, a right one not echoed", "No answer shows whether it was looked at.");
}

/** The oldest such promise, and where a store knows no checksum the only one. */
export async function contentMD5(store: StoreClient, scratch: Scratch, trial: Trial): Promise<Outcome> {
  const object = await trial("content-md5");
  const digest = createHash("md5").update(object.body).digest("base64");
  const [right, ...wrong] = await all([
    put(scratch, object, "content-md5", digest),
    put(scratch, await trial("content-md5-wrong"), "content-md5", random(16)),
    part(store, scratch, await trial("content-md5-part"), "content-md5", random(16)),
  ]);
  const taken = takenOf(wrong);
  if (taken.length > 0)
    return bad(
      `a wrong one is taken: ${byOperation(taken)}`,
      "What is damaged on its way is stored all the same. Does a proxy on the way drop Content-MD5? If not, give checksumSHA256 where the store holds uploads to that.",
    );
  if (right === undefined || !isDone(right.answer)) return refused(right?.answer ?? NOTHING_SENT);
  return ok("a wrong one is refused");
}

/** Tags are kept, of an upload in one piece and of one in parts. */
export async function tags(store: StoreClient, scratch: Scratch, trial: Trial): Promise<Outcome> {
  const tagging = { "x-amz-tagging": "ssec=check" };
  const [whole, parts] = [await trial("tags"), await trial("tags-parts")];
  const upload = await Upload.begin(scratch, parts, tagging);
  const begun = isUpload(upload) ? await upload.finish(store, scratch) : upload;
  const { answer } = await put(scratch, whole, "x-amz-tagging", tagging["x-amz-tagging"]);
  const refusal = [answer, begun].find((each) => !isDone(each));
  if (refusal !== undefined)
    return isMissing(refusal) || refusal.status === 403
      ? off(
          `refused (${said(refusal)})`,
          "Nothing to do, unless uploads are to have tags: then allow PutObjectTagging.",
        )
      : refused(refusal);
  const counts = await all([tagsOf(store, whole), tagsOf(store, parts)]);
  if (counts.includes(undefined))
    return off(
      "the store does not tell",
      "Nothing to do, unless uploads are to have tags: allow GetObjectTagging, and try again.",
    );
  const lost = ["PutObject", "multipart upload"].filter((_, i) => counts[i] === 0);
  return lost.length === 0
    ? ok("of PutObject and multipart uploads")
    : warn(
        `lost, although it answered 200: ${lost.join(", ")}`,
        "What goes by tags, as rules of a lifecycle or a policy, misses these objects: give them their tags by PutObjectTagging.",
      );
}

/** How many tags an object has; undefined where the store does not tell. */
async function tagsOf(store: StoreClient, { name, key }: TrialObject): Promise<number | undefined> {
  const head = await store.ask({ ...getUnder(name, key), method: "HEAD" });
  const count = head.headers["x-amz-tagging-count"];
  if (count !== undefined) return Number(count);
  const answer = await store.ask({ method: "GET", key: name, query: { tagging: "" } });
  return isDone(answer) ? elements(answer, "Key").length : undefined;
}

async function put(
  scratch: Scratch,
  { name, key, body }: TrialObject,
  header: string,
  value: string,
): Promise<Sent> {
  const headers: Headers = { ...customerKeyHeaders(key), [header]: value };
  const wanted = { method: "PUT", key: name, headers, query: { "x-id": "PutObject" } };
  return {
    operation: "PUT",
    what: header,
    answer: await scratch.write(name, (store) => store.ask(wanted, body)),
  };
}

async function part(
  store: StoreClient,
  scratch: Scratch,
  object: TrialObject,
  header: string,
  value: string,
): Promise<Sent> {
  const isChecksum = header.startsWith("x-amz-checksum-");
  const upload = await Upload.begin(
    scratch,
    object,
    isChecksum ? { "x-amz-checksum-algorithm": "SHA256" } : {},
  );
  const answer = isUpload(upload) ? await store.ask(upload.part({ [header]: value }), object.body) : upload;
  // An upload that was not begun took nothing; the line of multipart uploads says why.
  return { operation: "UploadPart", what: header, answer: isUpload(upload) ? answer : NOTHING_SENT };
}

const NOTHING_SENT: Answer = { status: 0, headers: {}, body: Buffer.alloc(0) };

const random = (length: number): string => randomBytes(length).toString("base64");

function takenOf(sent: readonly Sent[]): Sent[] {
  return sent.filter(({ answer }) => isDone(answer));
}
