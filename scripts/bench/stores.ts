/** The stores that are measured on. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { startStore } from "../../src/dev-store/index.ts";

const CEPH = join(import.meta.dirname, "../ceph-rgw.sh");
/** The gateway, its TLS and its monitor take this port and the two after it. */
const PORT = 21_700;

export interface Access {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface BenchStore {
  readonly name: string;
  readonly url: string;
  /** By TLS. @throws where openssl is not installed */
  secure(): Promise<Secure>;
  close(): Promise<void>;
}

export interface Secure {
  readonly url: string;
  /** The file of a certificate that the store has made itself. */
  readonly certificate: string;
}

/** @param data a folder that is not there yet */
export async function startCeph(data: string, { accessKeyId, secretAccessKey }: Access): Promise<BenchStore> {
  const env = { ...process.env, RGW_ACCESS_KEY: accessKeyId, RGW_SECRET_KEY: secretAccessKey };
  execFileSync(CEPH, ["start", data, String(PORT)], { env, stdio: ["ignore", "ignore", "inherit"] });
  return {
    name: "Ceph",
    url: `http://127.0.0.1:${PORT}`,
    secure: async () => ({ url: `https://127.0.0.1:${PORT + 1}`, certificate: join(data, "tls.crt") }),
    close: async () => void execFileSync(CEPH, ["stop", data], { stdio: "inherit" }),
  };
}

/** The development store, in this process. */
export async function startDevStore(data: string, credentials: Access): Promise<BenchStore> {
  const store = await startStore({ data, credentials, region: "us-east-1" });
  const fronts: Server[] = [];
  return {
    name: "the development store",
    url: store.url,
    secure: async () => {
      const { certificate, key } = makeCertificate(join(data, "tls"));
      const front = frontOf(store.port, { cert: readFileSync(certificate), key: readFileSync(key) });
      fronts.push(front);
      await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
      return { url: `https://127.0.0.1:${(front.address() as AddressInfo).port}`, certificate };
    },
    close: async () => {
      for (const front of fronts) front.close();
      await store.close();
    },
  };
}

/** The store speaks no TLS itself: this does before it. */
function frontOf(port: number, tls: { cert: Buffer; key: Buffer }): Server {
  return createServer({ ...tls, noDelay: true }, (socket) => {
    const behind = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.pipe(behind).pipe(socket);
    const ends: readonly [Socket, Socket][] = [
      [socket, behind],
      [behind, socket],
    ];
    for (const [one, other] of ends) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
}

/** What is under way at once, each way and connection, bytes: as much as a connection over such a network takes. */
const UNDER_WAY = 4 * 2 ** 20;

/**
 * A network before a port of this machine: every byte arrives later by so many milliseconds, each way, whatever is spoken.
 * As many bytes a second as this machine moves; that a connection is made is not delayed, what is said first over it is.
 */
export async function startDistance(
  port: number,
  delay: number,
): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer({ noDelay: true }, (socket) => {
    const behind = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const [from, to] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      sockets.add(from);
      delayed(from, to, delay);
      from.on("error", () => to.destroy());
      from.on("close", () => sockets.delete(from));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Timers of one length end in the order in which they began. */
function delayed(from: Socket, to: Socket, delay: number): void {
  let underWay = 0;
  from.on("data", (bytes) => {
    underWay += bytes.length;
    if (underWay > UNDER_WAY) from.pause();
    setTimeout(() => {
      const arrived = () => {
        underWay -= bytes.length;
        if (underWay <= UNDER_WAY) from.resume();
      };
      to.write(bytes, arrived);
    }, delay);
  });
  from.on("end", () => setTimeout(() => to.end(), delay));
}

function makeCertificate(dir: string): { certificate: string; key: string } {
  mkdirSync(dir);
  const [certificate, key] = [join(dir, "tls.crt"), join(dir, "tls.key")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const name = ["-subj", "/CN=store", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", "-days", "2", ...curve, ...name, ...files], { stdio: "pipe" });
  return { certificate, key };
}
