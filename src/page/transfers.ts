/** What goes up and comes down: two at once, each with its state. Nothing here knows of elements. */
import { SsecError } from "../client/index.ts";
import { may, type Session } from "./session.ts";

export type Via = "store" | "edge";

export interface Transfer {
  readonly id: number;
  readonly direction: "up" | "down";
  readonly bucket: string;
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** `unfinished`: begun before this page was loaded; its file has to be chosen again. */
  state: "waiting" | "running" | "paused" | "unfinished" | "done" | "failed";
  loaded: number;
  error?: string;
  file?: File;
  /** By which a file is known again: name, size, time. */
  readonly fingerprint: string;
  /** Whether what is there may be replaced. */
  replaces?: boolean;
}

export interface Hooks {
  readonly via: () => Via;
  /** Something about these has changed. */
  readonly changed: () => void;
  readonly done: (transfer: Transfer) => void;
  readonly failed: (transfer: Transfer) => void;
  readonly mayReplace: (transfer: Transfer) => Promise<boolean>;
  readonly save: (blob: Blob, key: string) => void;
}

/** A file, and where it lies in the folder that was chosen. */
export interface Chosen {
  readonly file: File;
  readonly path: string;
}

const AT_ONCE = 2;

export class Transfers {
  readonly items: Transfer[] = [];
  readonly #running = new Map<number, AbortController>();
  readonly #session: Session;
  readonly #hooks: Hooks;
  #last = 0;

  constructor(session: Session, hooks: Hooks) {
    this.#session = session;
    this.#hooks = hooks;
    this.#remember();
  }

  upload(chosen: readonly Chosen[], bucket: string, prefix: string): void {
    for (const { file, path } of chosen) {
      const key = prefix + path;
      const fingerprint = fingerprintOf(file);
      const known = this.items.find(
        (item) =>
          item.direction === "up" && item.bucket === bucket && item.key === key && item.state !== "done",
      );
      if (known?.fingerprint === fingerprint) {
        if (known.state !== "running") this.#begin(known, file);
        continue;
      }
      this.#add({
        direction: "up",
        bucket,
        key,
        size: file.size,
        state: "waiting",
        loaded: 0,
        file,
        fingerprint,
      });
    }
    this.#next();
  }

  download(bucket: string, key: string, size: number): void {
    this.#add({ direction: "down", bucket, key, size, state: "waiting", loaded: 0, fingerprint: "" });
    this.#next();
  }

  /** @returns whether it is the file that was begun with */
  chooseAgain(item: Transfer, file: File): boolean {
    if (fingerprintOf(file) !== item.fingerprint) return false;
    this.#begin(item, file);
    this.#next();
    return true;
  }

  pause(item: Transfer): void {
    item.state = "paused";
    this.#running.get(item.id)?.abort();
    this.#next();
  }

  resume(item: Transfer): void {
    item.state = item.file || item.direction === "down" ? "waiting" : "unfinished";
    delete item.error;
    this.#next();
  }

  /** Ends it, at the store too. */
  async cancel(item: Transfer): Promise<void> {
    this.#running.get(item.id)?.abort();
    this.items.splice(this.items.indexOf(item), 1);
    this.#next();
    if (item.direction === "up" && item.state !== "done")
      await this.#session.files.discard({ bucket: item.bucket, key: item.key, resume: localStorage });
  }

  clear(): void {
    const left = this.items.filter(({ state }) => state !== "done");
    this.items.splice(0, this.items.length, ...left);
    this.#hooks.changed();
  }

  /** Ends all without a trace at the store but what can go on. */
  stop(): void {
    for (const item of this.items) if (item.state !== "done") item.state = "paused";
    for (const ending of this.#running.values()) ending.abort();
  }

  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  #add(item: Omit<Transfer, "id">): void {
    this.#last++;
    this.items.push({ id: this.#last, ...item });
  }

  #begin(item: Transfer, file: File): void {
    item.file = file;
    item.state = "waiting";
    delete item.error;
  }

  #next(): void {
    for (const item of this.items) {
      if (this.#running.size >= AT_ONCE) break;
      if (item.state === "waiting" && !this.#running.has(item.id)) void this.#run(item);
    }
    this.#hooks.changed();
  }

  async #run(item: Transfer): Promise<void> {
    const ending = new AbortController();
    this.#running.set(item.id, ending);
    item.state = "running";
    item.loaded = 0;
    const { signal } = ending;
    try {
      await (item.file ? this.#send(item, item.file, signal) : this.#fetch(item, signal));
      item.state = "done";
      item.loaded = item.size;
      this.#hooks.done(item);
    } catch (error) {
      if (!signal.aborted) await this.#fail(item, error);
    } finally {
      if (this.#running.get(item.id) === ending) this.#running.delete(item.id);
      this.#next();
    }
  }

  async #send(item: Transfer, file: File, signal: AbortSignal): Promise<void> {
    const { bucket, key, replaces } = item;
    await this.#session.files.upload(file, {
      ...{ bucket, key, signal, via: this.#hooks.via(), resume: localStorage },
      ...(!replaces && { ifNoneMatch: "*" }),
      onProgress: this.#progressOf(item),
    });
  }

  async #fetch(item: Transfer, signal: AbortSignal): Promise<void> {
    const { bucket, key } = item;
    const via = this.#hooks.via();
    const onProgress = this.#progressOf(item);
    const got = await this.#session.files.download({ bucket, key, via, signal, onProgress });
    this.#hooks.save(await got.blob(), key);
  }

  #progressOf(item: Transfer) {
    return ({ loaded }: { loaded: number }) => {
      item.loaded = loaded;
      this.#hooks.changed();
    };
  }

  async #fail(item: Transfer, error: unknown): Promise<void> {
    const isThere = error instanceof SsecError && error.code === "precondition-failed";
    if (isThere && !item.replaces) {
      // The place of this one is free while somebody thinks.
      this.#running.delete(item.id);
      item.state = "paused";
      item.error = "There is an object of this name already.";
      this.#next();
      if (await this.#hooks.mayReplace(item)) {
        item.replaces = true;
        item.state = "waiting";
        delete item.error;
      } else if (this.items.includes(item)) await this.cancel(item);
      return;
    }
    item.state = "failed";
    item.error = error instanceof Error ? error.message : String(error);
    this.#hooks.failed(item);
  }

  /** What was begun before this page was loaded, as the client notes it: src/client/resume.ts. */
  #remember(): void {
    const start = `ssec-edge ${this.#session.url.replace(/\/+$/, "")} `;
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(start)) continue;
      const [, bucket, key] = /^([^/]+)\/(.+)$/s.exec(name.slice(start.length)) ?? [];
      try {
        const { fingerprint } = JSON.parse(localStorage.getItem(name) ?? "");
        const [, size] = JSON.parse(fingerprint);
        if (bucket && key && Number.isSafeInteger(size) && may(this.#session.me, "write", bucket, key))
          this.#add({ direction: "up", bucket, key, size, state: "unfinished", loaded: 0, fingerprint });
      } catch {
        // It is not ours.
      }
    }
  }
}

/** As the client makes it. */
const fingerprintOf = ({ name, size, lastModified }: File) => JSON.stringify([name, size, lastModified]);
