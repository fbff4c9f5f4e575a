/** A request as it stands, byte for byte, and its answer whole: fetch would set and hide headers, and parse URLs. */
import { request as httpRequest, type RequestOptions } from "node:http";

export interface Exchanged {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** @param pieces of the body, each written by itself */
export function exchange(
  options: RequestOptions,
  pieces: readonly (string | Buffer)[] = [],
  tries = 3,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const outgoing = httpRequest(options, (incoming) => {
      isAnswered = true;
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) }),
      );
    });
    // Who is refused in the middle of a body finds the connection closed under the rest of it; Node may notice that before
    // it has read why. Then it is asked again, as any client would: what was done is looked at by the test anyway.
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      if (isAnswered) return;
      if (error.code === "EPIPE" && tries > 1) resolve(exchange(options, pieces, tries - 1));
      else reject(error);
    });
    for (const piece of pieces) outgoing.write(piece);
    outgoing.end();
  });
}
