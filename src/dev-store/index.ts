/** An S3 server with SSE-C for development and tests: no package is one. Stricter than the real ones, on purpose. */
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Store } from "./call.ts";
import { Database } from "./database.ts";
import { Segments } from "./segments.ts";
import { handle } from "./server.ts";
import type { Credentials } from "./sigv4.ts";

export interface StoreOptions {
  /** Folder for everything that is kept; made when it is not there. */
  readonly data: string;
  readonly credentials: Credentials;
  /** 0: a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly region?: string;
  /** Host names below which `BUCKET.` addresses a bucket. */
  readonly hostnames?: readonly string[];
  readonly now?: () => number;
  /** False where what is kept need not survive more than the end of this process: no answer waits for the disk then. */
  readonly flushes?: boolean;
}

export interface RunningStore {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** @throws when the port is taken, or another store holds the folder */
export async function startStore({
  data,
  credentials,
  port = 0,
  host = "127.0.0.1",
  region = "us-east-1",
  hostnames = ["localhost", "s3.localhost"],
  now = Date.now,
  flushes = true,
}: StoreOptions): Promise<RunningStore> {
  const files = join(data, "segments");
  mkdirSync(files, { recursive: true });
  const database = openDatabase(data, flushes);
  const segments = new Segments(files, flushes);
  await segments.sweep(database.segmentFiles());

  const store: Store = { database, segments, hostnames, verifier: { credentials, region, now } };
  const listener = (request: Parameters<typeof handle>[1], response: Parameters<typeof handle>[2]) =>
    void handle(store, request, response);
  // Whoever writes again after a pause is not to find the connection closed at that moment: Node closes it after 5 s.
  const server = createServer({ noDelay: true, requestTimeout: 0, keepAliveTimeout: 75_000 }, listener);
  // Asked to continue only when the headers have been verified: see server.ts.
  server.on("checkContinue", listener);

  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host, resolve);
  await listening.catch((error: unknown) => {
    database.close();
    throw error;
  });
  const at = (server.address() as AddressInfo).port;
  return {
    url: `http://${host}:${at}`,
    port: at,
    close: async () => {
      const { promise: closed, resolve: done } = Promise.withResolvers<void>();
      server.close(() => done());
      server.closeAllConnections();
      await closed;
      database.close();
    },
  };
}

function openDatabase(data: string, flushes: boolean): Database {
  try {
    return new Database(join(data, "store.sqlite"), flushes);
  } catch (error) {
    const isHeld = error instanceof Error && /locked|busy/i.test(error.message);
    throw isHeld ? new Error(`another store is running on ${data}`) : error;
  }
}
