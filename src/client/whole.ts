/** An upload in one piece. */
import { isFresh, type Part, type Service, sendPart } from "./part.ts";
import type { Persistence } from "./retry.ts";
import type { Presigned } from "./store.ts";
import type { About, Target, Uploaded, UploadOptions } from "./upload-types.ts";

export async function inOnePiece(
  api: Service,
  part: Part,
  target: Target,
  about: About,
  { onProgress, signal }: Pick<UploadOptions, "onProgress" | "signal">,
  persistence?: Persistence,
): Promise<Uploaded> {
  const total = part.size;
  let request: Presigned | undefined;
  const requestOf = async (isAnew: boolean) => {
    if (isAnew || !request || !isFresh(request))
      request = await api.json<Presigned>(
        "/v1/presign",
        { operation: "PutObject", ...target, ...about, contentLength: total },
        { signal },
      );
    return request;
  };
  const onSent = (loaded: number) => onProgress?.({ loaded, total });
  const etag = await sendPart(part, requestOf, onSent, signal, persistence);
  return { ...target, keyId: request?.keyId ?? "", size: total, etag };
}
