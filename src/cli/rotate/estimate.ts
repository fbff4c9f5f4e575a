/** What a rotation takes, by what a dry run has found. */
import { PLAIN, UNKNOWN } from "../../keys/no-key.ts";
import type { RotationReport } from "../../rotation/state.ts";
import { MAX_LISTED } from "../../s3/api/limits.ts";
import { PRICES } from "./prices.ts";

/** Requests to the store for an object that it copies: HEAD, CopyObject, HEAD under the new key, HEAD under the old one. */
const HEADS = 3;
/** Of a page of a thousand: by the lister, and by whoever works on it. */
const LISTS = 2;

const MILLION = 1e6;

/** For a page, which is a message, a word to the ledger each hundred objects, some ten rows each, and 1 ms of CPU an object. */
const CLOUDFLARE_PAGE =
  (3 * PRICES.queue + PRICES.requests + 100 * PRICES.rows + MAX_LISTED * PRICES.cpu) / MILLION;

export interface Estimate {
  /** Objects that would be rotated, and about how many bytes they are. */
  readonly objects: number;
  readonly bytes: number;
  /** To the store. */
  readonly requests: number;
  readonly dollars: { readonly store: number; readonly cloudflare: number };
  readonly seconds: number;
}

/** @param report of a dry run that is done */
export function estimateOf(report: RotationReport, goesThroughWorker: boolean): Estimate {
  const { found, listed, listedBytes, startedAt, endedAt = startedAt } = report;
  const objects = Object.entries(found).reduce((sum, [id, n]) => (isRotated(id, report) ? sum + n : sum), 0);
  const lists = LISTS * Math.max(1, Math.ceil(listed / MAX_LISTED));
  const seen = listed - objects;
  const took = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  const requests = lists + objects * (HEADS + 1) + seen;
  return {
    objects,
    bytes: listed === 0 ? 0 : Math.round((listedBytes * objects) / listed),
    requests,
    dollars: {
      store: ((lists + objects) * PRICES.writes + (objects * HEADS + seen) * PRICES.reads) / MILLION,
      cloudflare: goesThroughWorker ? Math.ceil(listed / MAX_LISTED) * CLOUDFLARE_PAGE : 0,
    },
    seconds: (took * requests) / (lists + Math.max(1, listed)),
  };
}

/** What is under a key that nobody has stays as it is, and what is in the clear unless that was asked for. */
function isRotated(id: string, { from, to, encryptPlain }: RotationReport): boolean {
  if (id === UNKNOWN) return false;
  if (id === PLAIN) return encryptPlain === true;
  return from === undefined ? id !== to : id === from;
}

/** `$0.02`, and of less that it is less. */
export function inDollars(amount: number): string {
  return amount > 0 && amount < 0.01 ? "less than $0.01" : `$${amount.toFixed(2)}`;
}
