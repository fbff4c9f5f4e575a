/** The checks of a live run, in their order, and what was found of each. */
import { NoAnswer } from "./http.ts";
import type { Line } from "./line.ts";

/** What is tried of every bucket; the ids are stable. */
export const CHECKS = {
  connection: "connection",
  tls: "TLS",
  clock: "clock",
  addressing: "addressing",
  region: "region",
  credentials: "credentials",
  bucket: "bucket",
  put: "PUT with the key",
  echo: "SSE-C echoed",
  get: "GET with the key",
  "at-rest": "encrypted at rest",
  "without-headers": "URL without headers",
  "other-key": "GET with another key",
  tampered: "changed headers",
  inconsistent: "wrong algorithm, MD5",
  expired: "expired URL",
  added: "added headers",
  query: "key in the query",
  copy: "copy",
  multipart: "multipart upload",
  form: "browser form",
  checksum: "wrong checksum",
  "content-md5": "wrong Content-MD5",
  tags: "tags kept",
  "head-length": "HEAD has the length",
  "part-number": "partNumber",
  "put-conditions": "conditions of PUT",
  "complete-conditions": "conditions of Complete",
  "delete-conditions": "conditions of DELETE",
  "copy-conditions": "conditions of copies",
  list: "lists of odd names",
  redirects: "no redirects",
  cors: "CORS",
  enforced: "SSE-C enforced",
  removed: "objects removed",
} as const;

export type CheckId = keyof typeof CHECKS;

/** Without these there is nothing to try the rest with. */
const NEEDED: readonly CheckId[] = [
  "connection",
  "tls",
  "addressing",
  "region",
  "credentials",
  "bucket",
  "put",
  "at-rest",
];

export interface Outcome extends Line {
  /** What it means, and what to do. */
  readonly todo?: string;
  /** What to type for it. */
  readonly command?: string;
}

export interface Finding extends Outcome {
  /** Its name in BUCKETS. */
  readonly bucket: string;
  readonly check: CheckId;
}

export const ok = (what: string): Outcome => ({ verdict: "ok", what });
export const off = (what: string, todo?: string): Outcome => ({
  verdict: "off",
  what,
  ...(todo && { todo }),
});
export const warn = (what: string, todo: string, command?: string): Outcome => ({
  verdict: "warn",
  what,
  todo,
  ...(command && { command }),
});
export const bad = (what: string, todo: string, command?: string): Outcome => ({
  ...warn(what, todo, command),
  verdict: "bad",
});

/** The beginning of what is said of a check that could not be made. */
export const NOT_TRIED = "not tried for want of:";

/** `PUT: x-amz-acl, x-amz-tagging; UploadPart: x-amz-copy-source` */
export function byOperation(those: readonly { readonly operation: string; readonly what: string }[]): string {
  return [...Map.groupBy(those, ({ operation }) => operation)]
    .map(([operation, all]) => `${operation}: ${[...new Set(all.map(({ what }) => what))].join(", ")}`)
    .join("; ");
}

/** All of them, and only then the first that failed: nothing goes on behind the back of whoever cleans up. */
export async function all<T>(attempts: readonly Promise<T>[]): Promise<T[]> {
  const values: T[] = [];
  for (const settled of await Promise.allSettled(attempts)) {
    if (settled.status === "rejected") throw settled.reason;
    values.push(settled.value);
  }
  return values;
}

export class Report {
  readonly #bucket: string;
  readonly #outcomes = new Map<CheckId, Outcome>();
  readonly #trying = new Set<CheckId>();
  readonly #progress: (doing: string) => void;

  /** @param progress is told what is being tried */
  constructor(bucket: string, progress: (doing: string) => void) {
    this.#bucket = bucket;
    this.#progress = progress;
  }

  set(check: CheckId, outcome: Outcome): void {
    this.#outcomes.set(check, outcome);
  }

  /** Takes back what would say no more than another line does. */
  drop(...checks: CheckId[]): void {
    for (const check of checks) this.#outcomes.delete(check);
  }

  get(check: CheckId): Outcome | undefined {
    return this.#outcomes.get(check);
  }

  isBad(check: CheckId): boolean {
    return this.#outcomes.get(check)?.verdict === "bad";
  }

  /** Tries something, of which no answer is an outcome as well. */
  async try(check: CheckId, attempt: () => Promise<Outcome>): Promise<void> {
    this.#trying.add(check);
    this.#showProgress();
    try {
      this.set(check, await attempt());
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.set(check, silent(error));
    } finally {
      this.#trying.delete(check);
      this.#showProgress();
    }
  }

  #showProgress(): void {
    const trying = [...this.#trying].map((check) => CHECKS[check]).join(", ");
    this.#progress(trying && `BUCKETS.${this.#bucket}: ${trying}`);
  }

  /** Every check, those that could not be tried as well. */
  findings(): Finding[] {
    const ids = Object.keys(CHECKS) as CheckId[];
    const lack = NEEDED.findLast((check) => this.isBad(check));
    const missing = off(lack === undefined ? "not tried" : `${NOT_TRIED} ${CHECKS[lack]}`);
    return ids.map((check) => ({
      bucket: this.#bucket,
      check,
      ...(this.#outcomes.get(check) ?? missing),
    }));
  }
}

export function silent({ message, reason }: NoAnswer): Outcome {
  return bad(
    message,
    reason === "timeout"
      ? "The store, or the way to it, is too slow or down: try again, or give it more time with --timeout."
      : "The store closed the connection: try again; if it stays so, ask whoever runs it.",
  );
}
