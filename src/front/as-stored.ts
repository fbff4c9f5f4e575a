/** An object as the answer to a request. */
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppContext } from "./context.ts";

interface Stored {
  readonly status: number;
  /** As it is stored, also where its content-encoding says that it is compressed. */
  readonly body: ReadableStream<Uint8Array> | null;
}

/** A body whose content-encoding says that it is compressed is so already. */
export function asStored(c: AppContext, { status, body }: Stored, headers: Record<string, string>): Response {
  const answer = c.body(null, status as ContentfulStatusCode, headers);
  // A field of workerd's own.
  const init = { status, headers: answer.headers, encodeBody: "manual" };
  return new Response(body, init);
}
