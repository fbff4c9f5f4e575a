/** The Worker in workerd on this machine, bundled as `wrangler deploy` bundles it, with the bindings of wrangler.toml. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare, NoOpLog, type V4WorkerOptionsShape } from "miniflare";
import { parse } from "smol-toml";
import type { BindingName, Ledger } from "../src/bindings.ts";
import { bundle } from "./bundle.ts";

/** What is used of wrangler.toml. */
interface Deployed {
  readonly name: string;
  readonly main: string;
  readonly compatibility_date: string;
  readonly compatibility_flags: string[];
  readonly assets: { readonly directory: string; readonly binding: string };
  readonly d1_databases: readonly { readonly binding: string; readonly migrations_dir: string }[];
  readonly queues: {
    readonly producers: readonly { readonly binding: string; readonly queue: string }[];
    readonly consumers: readonly {
      readonly queue: string;
      readonly max_batch_size: number;
      readonly max_batch_timeout: number;
      readonly max_retries: number;
      readonly dead_letter_queue?: string;
    }[];
  };
  readonly ratelimits: readonly {
    readonly name: string;
    readonly namespace_id: string;
    readonly simple: { readonly limit: number; readonly period: 10 | 60 };
  }[];
  readonly analytics_engine_datasets: readonly { readonly binding: string; readonly dataset: string }[];
  readonly triggers: { readonly crons: readonly string[] };
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
  /** `[vars]` and secrets alike, by name. */
  readonly env: Readonly<Record<string, unknown>>;
  /** Bindings of wrangler.toml to leave out, and so to switch their features off. */
  readonly without?: readonly BindingName[];
  /** Instead of wrangler.toml's. */
  readonly rateLimit?: { readonly limit: number; readonly period: 10 | 60 };
  /** Instead of the Worker's own. */
  readonly entrypoint?: string;
  /** The entrypoint, where it is bundled already. */
  readonly code?: string;
  /** Folder for what bindings keep; without one it goes when the Worker does. */
  readonly dir?: string;
  /** 0: a free one. */
  readonly port?: number;
  /** Whether a debugger may attach. */
  readonly inspected?: boolean;
  /** Takes what the Worker writes to its log, line by line; without it only errors are shown, on the console. */
  readonly onLog?: (line: string) => void;
}

/** Seconds that an event waits for others: each by itself would cost more than the requests that events tell of. */
const MAX_WAIT = 0.2;

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Starts the Worker with an environment of its own; of wrangler.toml only what is not `[vars]` counts. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  // Without it the simulator looks on the internet for what `request.cf` should be.
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  const deployed = parse(readFileSync(join(ROOT, "wrangler.toml"), "utf8")) as unknown as Deployed;
  const { entrypoint = join(ROOT, deployed.main), dir, port = 0, inspected = false, onLog } = options;
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port,
      ...(inspected && { inspectorHost: "127.0.0.1", inspectorPort: 0 }),
      ...(dir !== undefined && { resourcePersistencePath: join(dir, "v3") }),
      log: new NoOpLog(),
      handleStructuredLogs: ({ level, message }) => {
        if (onLog) onLog(message);
        else if (level === "error") console.error(message);
      },
      telemetry: { enabled: false },
      modules: true,
      script: options.code ?? (await bundle(entrypoint)),
      ...workerFor(deployed, options),
    }),
  );
  try {
    const { origin } = await runtime.ready;
    if (!options.without?.includes("DB")) await migrate(deployed, runtime);
    return {
      url: origin,
      inspectorUrl: inspected
        ? // The runtime has an inspector for each service; this is the name that the simulator gives ours.
          String(new URL(`./core:user:${deployed.name}`, await runtime.getInspectorURL()))
        : undefined,
      scheduled: async () => {
        const worker: Scheduled = (await runtime.getWorker()) as never;
        return worker.scheduled({ cron: deployed.triggers.crons[0] });
      },
      close: () => runtime.dispose(),
    };
  } catch (error) {
    await runtime.dispose();
    throw error;
  }
}

/** Its types are those of a runtime that this file is not in. */
interface Scheduled {
  scheduled(options: { cron: string | undefined }): Promise<{ outcome: string }>;
}

function workerFor(
  deployed: Deployed,
  { env, without = [], rateLimit }: WorkerOptions,
): V4WorkerOptionsShape {
  const isKept = (name: string) => !without.includes(name as BindingName);
  const producers = deployed.queues.producers.filter(({ binding }) => isKept(binding));
  const { consumers } = deployed.queues;
  const isWrittenTo = (name: string) => producers.some(({ queue }) => queue === name);
  // Dead letters are of those.
  const isRead = (name: string) =>
    isWrittenTo(name) ||
    consumers.some(({ queue, dead_letter_queue }) => dead_letter_queue === name && isWrittenTo(queue));
  return {
    name: deployed.name,
    compatibilityDate: deployed.compatibility_date,
    compatibilityFlags: deployed.compatibility_flags,
    bindings: Object.fromEntries(
      Object.entries(env).filter(([, value]) => value !== undefined),
    ) as NonNullable<V4WorkerOptionsShape["bindings"]>,
    ...(isKept("ASSETS") && {
      assets: {
        directory: join(ROOT, deployed.assets.directory),
        binding: deployed.assets.binding,
        routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true },
      },
    }),
    d1Databases: deployed.d1_databases.map(({ binding }) => binding).filter(isKept),
    queueProducers: Object.fromEntries(producers.map(({ binding, queue }) => [binding, queue])),
    queueConsumers: Object.fromEntries(
      consumers
        .filter(({ queue }) => isRead(queue))
        .map((consumer) => [
          consumer.queue,
          {
            maxBatchSize: consumer.max_batch_size,
            maxBatchTimeout: Math.min(consumer.max_batch_timeout, MAX_WAIT),
            maxRetries: consumer.max_retries,
            ...(consumer.dead_letter_queue !== undefined && { deadLetterQueue: consumer.dead_letter_queue }),
          },
        ]),
    ),
    ratelimits: Object.fromEntries(
      deployed.ratelimits
        .filter(({ name }) => isKept(name))
        .map(({ name, namespace_id, simple }) => [name, { namespace_id, simple: rateLimit ?? simple }]),
    ),
    analyticsEngineDatasets: Object.fromEntries(
      deployed.analytics_engine_datasets
        .filter(({ binding }) => isKept(binding))
        .map(({ binding, dataset }) => [binding, { dataset }]),
    ),
  };
}

/** The schema of the database, as `wrangler d1 migrations apply` brings it about and notes it anywhere else. */
async function migrate({ d1_databases }: Deployed, runtime: Miniflare): Promise<void> {
  for (const { binding, migrations_dir } of d1_databases) {
    const database: Ledger = (await runtime.getD1Database(binding)) as never;
    await database
      .prepare(
        `CREATE TABLE IF NOT EXISTS d1_migrations (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          name TEXT UNIQUE,
          applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
        )`,
      )
      .run();
    const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
    const applied = new Set(results.map(({ name }) => name));
    for (const name of readdirSync(join(ROOT, migrations_dir)).sort()) {
      if (applied.has(name)) continue;
      await database.batch([
        database.prepare(readFileSync(join(ROOT, migrations_dir, name), "utf8")),
        database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
      ]);
    }
  }
}
