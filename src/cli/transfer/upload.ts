/** From this machine to the store: through presigned URLs where the length is known, else through the edge. */
import { resolve } from "node:path";
import type { Part } from "../../client/part.ts";
import { inOnePiece } from "../../client/whole.ts";
import { type Api, ApiError } from "../api.ts";
import { SOON } from "../retry.ts";
import { HintedError } from "../terminal.ts";
import { type ObjectName, objectPath } from "./location.ts";
import { Memory } from "./memory.ts";
import { isOpen } from "./open-uploads.ts";
import { abort, type PartsOptions, putInParts } from "./parts.ts";
import { isNotPresigned, presign, type Upload } from "./presigned.ts";
import { following } from "./progress.ts";
import { sendStretch } from "./send.ts";
import { type FileSource, MAX_SINGLE, type Source, SourceError } from "./source.ts";
import { headObject } from "./stored.ts";
import { putThroughEdge } from "./through-edge.ts";
import type { Uploaded } from "./uploaded.ts";

type Options = Pick<PartsOptions, "fields" | "slots" | "progress">;

/** What is remembered of an upload, to resume it. */
interface Begun extends Upload {
  readonly sha256: string;
}

/**
 * Uploads a file.
 *
 * @param resume goes on with an upload of the same bytes that was cut off; what is already there is not sent again
 * @throws {SourceError} when the file changes before the store has all of it; nothing of it is then there
 */
export async function uploadFile(
  api: Api,
  source: FileSource,
  to: ObjectName,
  { resume, ...options }: Options & { resume: boolean },
): Promise<Uploaded & { sha256: string }> {
  const { sha256 } = source;
  const memory = new Memory<Begun>("put", api.url, to.bucket, to.key, resolve(source.path));
  const metadata = { ...(options.fields.metadata as object | undefined), sha256 };
  const work = async () => {
    const earlier = memory.recall();
    const isSame = earlier !== undefined && resume && earlier.sha256 === sha256;
    if (earlier !== undefined && !isSame) await abort(api, earlier);
    const uploaded = await uploadSource(api, source, to, {
      ...options,
      fields: { ...options.fields, metadata },
      ...(isSame && { earlier }),
      onBegun: (upload) => memory.keep({ ...upload, sha256 }),
    }).catch((error: unknown) => {
      if (!isOpen(to) || !(error instanceof Error) || error instanceof ApiError) throw error;
      throw new HintedError(
        error.message,
        "its parts so far stay in the store: the same command with --resume goes on",
      );
    });
    memory.forget();
    return { ...uploaded, sha256 };
  };
  // One PUT after another leaves the later one whole.
  return source.size <= MAX_SINGLE ? work() : memory.alone(work);
}

/** Uploads what can be read in stretches: in parts where it is long, through the edge where nothing is presigned. */
export async function uploadSource(
  api: Api,
  source: Source,
  to: ObjectName,
  options: PartsOptions,
): Promise<Uploaded> {
  try {
    if (source.size <= MAX_SINGLE) return await putWhole(api, source, to, options);
    return await putInParts(api, source, to, options);
  } catch (error) {
    if (!isNotPresigned(error)) throw error;
    return options.slots.run(async () =>
      confirmed(api, source, to, await putThroughEdge(api, source, to, options)),
    );
  }
}

async function putWhole(
  api: Api,
  source: Source,
  to: ObjectName,
  { fields, slots, progress }: Options,
): Promise<Uploaded> {
  const { size } = source;
  let release: (() => void) | undefined;
  let versionId: string | null = null;
  const part: Part = {
    size,
    put: async (requestOf, sending) => {
      // Before it is its turn: others are asked for along with it.
      if (!release) await requestOf();
      release ??= await slots.take();
      const answer = await sendStretch(await requestOf(), source, [0, size], sending);
      versionId = answer.headers.get("x-amz-version-id");
      return answer;
    },
  };
  const service = { json: <T>(_path: string, body: object) => presign(api, body) as Promise<T> };
  const onProgress = following((bytes) => progress.add(bytes));
  try {
    const uploaded = await inOnePiece(service, part, to, fields, { onProgress }, SOON);
    return await confirmed(api, source, to, { ...uploaded, ...(versionId !== null && { versionId }) });
  } catch (error) {
    onProgress({ loaded: 0 });
    throw error;
  } finally {
    release?.();
  }
}

/** What was put, if its source is still what it was. @throws {SourceError} */
async function confirmed(api: Api, source: Source, to: ObjectName, uploaded: Uploaded): Promise<Uploaded> {
  try {
    await source.confirmUnchanged?.();
  } catch (error) {
    throw new SourceError(`${(error as Error).message}${await takeBack(api, to, uploaded)}`);
  }
  return uploaded;
}

/**
 * Removes what was just put, unless another has replaced it already.
 *
 * @returns what to say where it could not be removed
 */
async function takeBack(api: Api, to: ObjectName, { etag, keyId, versionId }: Uploaded): Promise<string> {
  try {
    if (versionId === undefined && (await headObject(api, to, { keyId })).etag !== etag) return "";
    const query = versionId === undefined ? "" : `?versionId=${encodeURIComponent(versionId)}`;
    const headers = versionId === undefined ? { "if-match": etag } : {};
    await api.fetch(`${objectPath(to)}${query}`, { method: "DELETE", headers });
    return "";
  } catch {
    return " (what the object holds now is the file as it was before)";
  }
}
