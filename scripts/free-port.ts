/** Ports for servers that have to be told theirs. Nobody holds them until they are used. */
import { type AddressInfo, createServer } from "node:net";

/** The wanted port where it is free, else one that is. */
export function freePort(wanted = 0): Promise<number> {
  return listen(wanted).catch((error: unknown) => {
    if (wanted === 0) throw error;
    return listen(0);
  });
}

export function isFree(port: number): Promise<boolean> {
  return listen(port).then(
    () => true,
    () => false,
  );
}

/** The port, on which a server has listened for a moment. */
function listen(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
