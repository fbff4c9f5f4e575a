/**
 * `ssec-edge/react`: uploads as the state of a component.
 *
 * ```tsx
 * const { items, add, pause, resume, cancel } = useUpload(files, { bucket: "media", keyOf: (file) => `users/${me}/${file.name}` });
 * <input type="file" multiple onChange={(event) => add(event.target.files)} />
 * ```
 */
import { useEffect, useRef, useState } from "react";
import type { Client, Storage, Uploaded, UploadOptions } from "./index.ts";

export interface UseUploadOptions extends Omit<UploadOptions, "key" | "signal" | "onProgress"> {
  readonly keyOf: (file: File) => string;
  /** Files at once. Default 2. */
  readonly filesAtOnce?: number;
}

export interface UploadItem {
  readonly id: number;
  readonly file: File;
  readonly key: string;
  readonly state: "waiting" | "uploading" | "paused" | "done" | "failed";
  /** Bytes of `file.size`. */
  readonly loaded: number;
  readonly error?: Error;
  readonly result?: Uploaded;
}

export interface Uploads {
  readonly items: readonly UploadItem[];
  /** Bytes of all of them. */
  readonly loaded: number;
  readonly total: number;
  add(files: Iterable<File> | null): void;
  /** Its parts stay at the store; with `resume: localStorage`, over a reload too. */
  pause(id: number): void;
  /** Goes on with what is paused or has failed. */
  resume(id: number): void;
  /** Ends it, and takes it out of the list. What is done is only taken out. */
  cancel(id: number): void;
}

/** @param files is to be the same at each render: make it outside of the component, or by useMemo */
export function useUpload(files: Client, options: UseUploadOptions): Uploads {
  const { keyOf, filesAtOnce = 2, ...upload } = options;
  const [items, setItems] = useState<readonly UploadItem[]>([]);
  const running = useRef(new Map<number, AbortController>());
  const last = useRef(0);
  // Without a place of the page's own, a pause lasts as long as the component does.
  const memory = useRef<Storage>(undefined);
  memory.current ??= inMemory();
  const storage = upload.resume ?? memory.current;

  const change = (id: number, more: Partial<UploadItem>) =>
    setItems((now) => now.map((item) => (item.id === id ? { ...item, ...more } : item)));
  /** Only from these states: what is done stays so. */
  const turn = (id: number, from: readonly UploadItem["state"][], state: UploadItem["state"]) =>
    setItems((now) =>
      now.map((item) => {
        if (item.id !== id || !from.includes(item.state)) return item;
        const { error: _, ...rest } = item;
        return { ...rest, state };
      }),
    );
  const end = (id: number) => running.current.get(id)?.abort();

  const begin = async ({ id, file, key }: UploadItem) => {
    const ending = new AbortController();
    running.current.set(id, ending);
    change(id, { state: "uploading" });
    const { signal } = ending;
    try {
      const result = await files.upload(file, {
        ...{ ...upload, key, signal, resume: storage },
        onProgress: ({ loaded }) => change(id, { loaded }),
      });
      change(id, { state: "done", loaded: file.size, result });
    } catch (error) {
      if (!signal.aborted) change(id, { state: "failed", error: error as Error });
    } finally {
      running.current.delete(id);
    }
  };

  const next = items.find(({ id, state }) => state === "waiting" && !running.current.has(id));
  const isBusy = items.filter(({ state }) => state === "uploading").length >= filesAtOnce;
  useEffect(() => {
    if (next && !isBusy) void begin(next);
  });
  // A component that goes takes its transfers with it.
  useEffect(() => () => running.current.forEach((ending) => void ending.abort()), []);

  const sum = (of: (item: UploadItem) => number) => items.reduce((all, item) => all + of(item), 0);
  return {
    items,
    loaded: sum(({ loaded }) => loaded),
    total: sum(({ file }) => file.size),
    add: (chosen) => {
      const added = Array.from(chosen ?? [], (file): UploadItem => {
        last.current++;
        return { id: last.current, file, key: keyOf(file), state: "waiting", loaded: 0 };
      });
      setItems((now) => [...now, ...added]);
    },
    pause: (id) => {
      end(id);
      turn(id, ["waiting", "uploading"], "paused");
    },
    resume: (id) => turn(id, ["paused", "failed"], "waiting"),
    cancel: (id) => {
      const item = items.find((each) => each.id === id);
      end(id);
      setItems((now) => now.filter((each) => each.id !== id));
      if (item && item.state !== "done")
        // What cannot be ended now the bucket's lifecycle ends; the user has let go of it.
        void files.discard({ bucket: upload.bucket, key: item.key, resume: storage }).catch(() => {});
    },
  };
}

function inMemory(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => kept.set(name, value),
    removeItem: (name) => kept.delete(name),
  };
}
