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
    // An answer counts, whatever becomes of the rest of the request.
    outgoing.on("error", (error) => {
      if (!isAnswered) reject(error);
    });
    for (const piece of pieces) outgoing.write(piece);
    outgoing.end();
  });
}
