/** The Worker in workerd on this machine, bundled as `wrangler deploy` bundles it. */
import { fileURLToPath } from "node:url";
import { unstable_readConfig, unstable_startWorker } from "wrangler";

export interface RunningWorker {
  readonly url: string;
  close(): Promise<void>;
}

export interface WorkerOptions {
  /** `[vars]` and secrets alike, by name. */
  readonly env: Readonly<Record<string, unknown>>;
  /** 0: a free one. */
  readonly port?: number;
  readonly logLevel?: "none" | "error" | "log";
}

const CONFIG = fileURLToPath(new URL("../wrangler.toml", import.meta.url));

/** Starts the Worker with an environment of its own; of wrangler.toml only what is not `[vars]` counts. */
export async function startWorker({
  env,
  port = 0,
  logLevel = "error",
}: WorkerOptions): Promise<RunningWorker> {
  // Without it wrangler looks on the internet for what `request.cf` should be.
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  const { compatibility_date, compatibility_flags, main } = unstable_readConfig(
    { config: CONFIG },
    { hideWarnings: true },
  );
  const worker = await unstable_startWorker({
    name: "ssec-edge",
    entrypoint: main as string,
    compatibilityDate: compatibility_date as string,
    compatibilityFlags: compatibility_flags,
    bindings: Object.fromEntries(
      Object.entries(env).map(([name, value]) => [
        name,
        typeof value === "string"
          ? { type: "plain_text" as const, value }
          : { type: "json" as const, value: value as never },
      ]),
    ),
    dev: {
      server: { hostname: "127.0.0.1", port },
      inspector: false,
      watch: false,
      persist: false as never,
      logLevel,
    },
  });
  await worker.ready;
  const url = String(await worker.url).replace(/\/$/, "");
  return { url, close: () => worker.dispose() };
}
