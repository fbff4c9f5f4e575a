/**
 * The S3 gateway beside a bare passthrough and beside the store itself, by one and the same client; and of small objects,
 * beside `/v1/objects`, on CPU time.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStore } from "../../src/dev-store/index.ts";
import { CREDENTIALS, SITE } from "./peers/peer.ts";
import { type Effort, environment, HEADERS, MIB, withSite } from "./sections.ts";
import { alternate, median } from "./slices.ts";
import { Workerd } from "./workerd.ts";

/** Of a small object, bytes. */
const SMALL = 1024;

/** MiB a second, by contender, of a large object down and up; microseconds of the Worker's CPU for a small one. */
export interface Gateway {
  readonly down: Readonly<Record<string, number>>;
  readonly up: Readonly<Record<string, number>>;
  readonly small: Readonly<Record<string, number>>;
}

interface Request {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** @param streaming the bare passthrough's code */
export async function gateway(
  ours: string,
  streaming: string,
  { rounds, transfer, requests }: Effort,
): Promise<Gateway> {
  const data = mkdtempSync(join(tmpdir(), "ssec-bench-gateway-"));
  const store = await startStore({ data, port: 0, credentials: CREDENTIALS, region: SITE.region });
  const [edge, bare] = [
    await Workerd.start(ours, environment(store.url, "path")),
    await Workerd.start(streaming),
  ];
  try {
    (await withSite(store.url)).destroy();
    const presigned = async (
      operation: string,
      key: string,
      via: "store" | "edge",
      contentLength?: number,
    ) => {
      const body = { operation, bucket: "media", key, via, ...(contentLength && { contentLength }) };
      const answer = await fetch(`${edge.url}/v1/presign`, {
        method: "POST",
        headers: HEADERS,
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`presigning answers ${answer.status}`);
      return (await answer.json()) as Request;
    };
    /** Each the same operation. */
    const ways = (
      operation: string,
      key: string,
      length?: number,
    ): Record<string, () => Promise<Request>> => ({
      "the gateway": () => presigned(operation, key, "edge", length),
      "a bare passthrough": async () => {
        const { url, method, headers } = await presigned(operation, key, "store", length);
        return { url: bare.url, method, headers: { ...headers, "x-target": url } };
      },
      "the store itself": () => presigned(operation, key, "store", length),
    });
    const body = Buffer.alloc(transfer * MIB, 7);
    const moved = (request: () => Promise<Request>, isUp: boolean) => async () => {
      const { url, method, headers } = await request();
      const start = performance.now();
      const answer = await fetch(url, { method, headers, ...(isUp && { body }) });
      let bytes = isUp ? body.length : 0;
      for await (const chunk of answer.body ?? []) bytes += isUp ? 0 : chunk.length;
      if (answer.status !== 200 || bytes !== body.length)
        throw new Error(`${answer.status}: ${bytes} bytes moved`);
      return transfer / ((performance.now() - start) / 1000);
    };
    const few = Math.ceil(rounds / 4);
    const compared = async (operation: string, isUp: boolean) => {
      const contenders = Object.entries(ways(operation, "large", isUp ? body.length : undefined));
      return mediansOf(
        await alternate(few, new Map(contenders.map(([name, way]) => [name, moved(way, isUp)]))),
      );
    };
    const up = await compared("PutObject", true);
    const down = await compared("GetObject", false);

    const { url, method, headers } = await presigned("PutObject", "small", "edge", SMALL);
    await fetch(url, { method, headers, body: Buffer.alloc(SMALL) });
    const link = await presigned("GetObject", "small", "edge");
    const gets = (request: Omit<Request, "method">) => async () => {
      const before = edge.cpu();
      for (let i = 0; i < requests / 10; i++) {
        const answer = await fetch(request.url, { headers: request.headers });
        if (answer.status !== 200) throw new Error(`a small object is ${answer.status}`);
        await answer.arrayBuffer();
      }
      return (edge.cpu() - before) / (requests / 10);
    };
    const object = { url: `${edge.url}/v1/objects/media/small`, headers: HEADERS };
    const small = await alternate(
      few,
      new Map([
        ["the gateway", gets(link)],
        ["/v1/objects", gets(object)],
      ]),
    );
    return { down, up, small: mediansOf(small) };
  } finally {
    await Promise.all([edge.close(), bare.close()]);
    await store.close();
    rmSync(data, { recursive: true });
  }
}

function mediansOf(slices: ReadonlyMap<string, readonly number[]>): Record<string, number> {
  return Object.fromEntries([...slices].map(([name, values]) => [name, median(values)]));
}
