/** The Worker in workerd on this machine, bundled as `wrangler deploy` bundles it, with the bindings of wrangler.toml. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unstable_readConfig, unstable_startWorker } from "wrangler";
import { NO_LOG_FILE, runWrangler } from "../src/cli/wrangler.ts";

/** What is used of wrangler's own types, which refer to packages that are not there. */
interface Deployed {
  readonly name: string;
  readonly main: string;
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
  readonly minify: boolean;
  readonly keep_names: boolean;
  readonly d1_databases: readonly { readonly binding: string; readonly migrations_dir?: string }[];
  readonly queues: { readonly producers?: readonly object[]; readonly consumers?: readonly object[] };
  readonly ratelimits: readonly { readonly name: string }[];
  readonly analytics_engine_datasets: readonly { readonly binding: string }[];
  readonly triggers: object;
}

export interface RunningWorker {
  readonly url: string;
  /** The debugger's WebSocket, where the Worker was started with one. */
  readonly inspectorUrl: string | undefined;
  /** Runs what the cron trigger runs. */
  scheduled(): Promise<{ readonly outcome: string }>;
  close(): Promise<void>;
}

export interface WorkerOptions {
  /** `[vars]` and secrets alike, by name. Tables are `[vars]`; a text may be a secret, and is bound as one. */
  readonly env: Readonly<Record<string, unknown>>;
  /** Bindings of wrangler.toml to leave out, and so to switch their features off. */
  readonly without?: readonly BindingName[];
  /** Instead of wrangler.toml's. */
  readonly rateLimit?: { readonly limit: number; readonly period: 10 | 60 };
  /** Instead of the Worker's own. */
  readonly entrypoint?: string;
  /** Folder for what bindings keep; without one it goes when the Worker does. */
  readonly dir?: string;
  /** 0: a free one. */
  readonly port?: number;
  /** Whether a debugger may attach. */
  readonly inspected?: boolean;
  readonly logLevel?: "none" | "error" | "log";
  /** Takes what the Worker writes to its log, line by line, instead of the console. */
  readonly onLog?: (line: string) => void;
}

export type BindingName = "DB" | "QUEUE" | "RATE_LIMIT" | "METRICS";

const CONFIG = fileURLToPath(new URL("../wrangler.toml", import.meta.url));

/**
 * Starts the Worker with an environment of its own; of wrangler.toml only what is not `[vars]` counts. No file holds its
 * secrets: they go to workerd by a pipe.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { dir, port = 0, inspected = false, logLevel = "error", onLog } = options;
  // Without it wrangler looks on the internet for what `request.cf` should be.
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  // Nor does it keep to logLevel in what it says of queues.
  process.env.WRANGLER_LOG ??= "error";
  Object.assign(process.env, NO_LOG_FILE);
  const scratch = mkdtempSync(join(tmpdir(), "ssec-worker-"));
  try {
    const config = join(scratch, "wrangler.json");
    const persist = dir ?? join(scratch, "state");
    writeFileSync(config, JSON.stringify(configFor(options)), { mode: 0o600 });
    if (!options.without?.includes("DB")) await migrate(config, persist);
    const worker = await unstable_startWorker({
      config,
      bindings: secretsOf(options.env),
      dev: {
        server: { hostname: "127.0.0.1", port },
        inspector: inspected && { hostname: "127.0.0.1", port: 0 },
        watch: false,
        persist,
        logLevel,
        ...(onLog && { structuredLogsHandler: ({ message }: { message: string }) => onLog(message) }),
      },
    });
    await worker.ready;
    return {
      url: String(await worker.url).replace(/\/$/, ""),
      inspectorUrl: inspected ? String(await worker.inspectorUrl) : undefined,
      scheduled: () => worker.scheduled({ cron: "17 3 * * *" }),
      close: async () => {
        await worker.dispose();
        rmSync(scratch, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    throw error;
  }
}

/** Wrangler tells of `vars` wherever it tells of a Worker, and of secrets only that there are such. */
function secretsOf(env: WorkerOptions["env"]): Record<string, { type: "secret_text"; value: string }> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, { type: "secret_text" as const, value }]] : [],
    ),
  );
}

function configFor({ env, without = [], rateLimit, entrypoint }: WorkerOptions) {
  const deployed: Deployed = unstable_readConfig({ config: CONFIG }, { hideWarnings: true });
  const isKept = (name: string) => !without.includes(name as BindingName);
  return {
    name: deployed.name,
    main: entrypoint ?? deployed.main,
    compatibility_date: deployed.compatibility_date,
    compatibility_flags: deployed.compatibility_flags,
    minify: deployed.minify,
    keep_names: deployed.keep_names,
    vars: Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value !== "string")),
    d1_databases: deployed.d1_databases
      .filter(({ binding }) => isKept(binding))
      .map((database) => ({
        ...database,
        migrations_dir: join(dirname(CONFIG), database.migrations_dir ?? "migrations"),
      })),
    queues: isKept("QUEUE")
      ? {
          ...deployed.queues,
          consumers: deployed.queues.consumers?.map((each) => ({ ...each, max_batch_timeout: 0 })),
        }
      : {},
    ratelimits: deployed.ratelimits
      .filter(({ name }) => isKept(name))
      .map((limit) => ({ ...limit, ...(rateLimit && { simple: rateLimit }) })),
    analytics_engine_datasets: deployed.analytics_engine_datasets.filter(({ binding }) => isKept(binding)),
    triggers: deployed.triggers,
  };
}

/** The schema of the database, as `wrangler d1 migrations apply` brings it about anywhere else. */
async function migrate(config: string, persist: string): Promise<void> {
  const args = ["d1", "migrations", "apply", "DB", "--local", "--config", config, "--persist-to", persist];
  const { status, stderr } = await runWrangler(args, { env: { CI: "true" } });
  if (status !== 0) throw new Error(`the audit trail's schema was not made: ${stderr}`);
}
