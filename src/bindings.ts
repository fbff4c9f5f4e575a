/**
 * The optional bindings, each of which switches its feature on; of the platform's types only what is used.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/bindings/
 */

/** Queues. */
export interface Queue {
  send(body: unknown, options?: { contentType?: "json"; delaySeconds?: number }): Promise<unknown>;
}

/** D1. */
export interface Database {
  prepare(sql: string): Statement;
}

/** Of which several statements go as one transaction. */
export interface Ledger extends Database {
  batch(statements: readonly Statement[]): Promise<{ meta: { changes: number } }[]>;
}

export interface Statement {
  bind(...values: unknown[]): Statement;
  all<Row>(): Promise<{ results: Row[] }>;
  run(): Promise<{ meta: { changes: number } }>;
}

/** ratelimits. */
export interface RateLimit {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** Analytics Engine. */
export interface Metrics {
  writeDataPoint(point: {
    indexes: readonly string[];
    blobs: readonly string[];
    doubles: readonly number[];
  }): void;
}

/** Static assets. */
export interface Assets {
  fetch(request: Request): Promise<Response>;
}

/** Messages of a queue, as its consumer gets them. */
export interface MessageBatch {
  /** The queue's name. */
  readonly queue: string;
  readonly messages: readonly { readonly id: string; readonly body: unknown; readonly attempts: number }[];
  ackAll(): void;
  retryAll(options: { delaySeconds: number }): void;
}

/** By their names in wrangler.toml. */
interface Bound {
  readonly DB?: Ledger;
  readonly QUEUE?: Queue;
  readonly ROTATION_QUEUE?: Queue;
  readonly RATE_LIMIT?: RateLimit;
  readonly METRICS?: Metrics;
  readonly ASSETS?: Assets;
}

export type BindingName = keyof Bound;

export interface Bindings {
  readonly db: Ledger | undefined;
  readonly queue: Queue | undefined;
  readonly rotationQueue: Queue | undefined;
  readonly rateLimit: RateLimit | undefined;
  readonly metrics: Metrics | undefined;
  readonly assets: Assets | undefined;
}

export function bindingsOf(env: Readonly<Record<string, unknown>>): Bindings {
  const { DB, QUEUE, ROTATION_QUEUE, RATE_LIMIT, METRICS, ASSETS } = env as Bound;
  return {
    db: DB,
    queue: QUEUE,
    rotationQueue: ROTATION_QUEUE,
    rateLimit: RATE_LIMIT,
    metrics: METRICS,
    assets: ASSETS,
  };
}
