/** What a Worker holds in memory, by its runtime's own account. */

interface Usage {
  readonly usedSize: number;
  readonly embedderHeapUsedSize: number;
  /** ArrayBuffers and the like. */
  readonly backingStorageSize: number;
}

/** Often enough that a garbage collection in between does not hide what was there, milliseconds. */
const INTERVAL = 20;

export class Heap {
  readonly #socket: WebSocket;
  readonly #timer: ReturnType<typeof setInterval>;
  #most = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    let id = 0;
    socket.addEventListener("message", ({ data }) => this.#note(JSON.parse(String(data)).result));
    this.#timer = setInterval(
      () => socket.send(JSON.stringify({ id: ++id, method: "Runtime.getHeapUsage" })),
      INTERVAL,
    );
  }

  /** @see https://chromedevtools.github.io/devtools-protocol/tot/Runtime/#method-getHeapUsage */
  static async watch(inspectorUrl: string): Promise<Heap> {
    const socket = new WebSocket(inspectorUrl);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error("the Worker's inspector does not answer")));
    });
    return new Heap(socket);
  }

  /** Bytes, the most that there were at once. */
  stop(): number {
    clearInterval(this.#timer);
    this.#socket.close();
    if (this.#most === 0) throw new Error("the Worker's inspector has told nothing");
    return this.#most;
  }

  #note(usage: Usage | undefined): void {
    if (usage?.backingStorageSize === undefined) return;
    this.#most = Math.max(this.#most, usage.usedSize + usage.embedderHeapUsedSize + usage.backingStorageSize);
  }
}
