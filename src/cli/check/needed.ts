/** Which keys that no longer write are still needed: by the Worker's scans, and by those of the ledger here. */
import { existsSync } from "node:fs";
import type { ReportedKey } from "../../rotation/needed.ts";
import type { ApiOptions } from "../api.ts";
import { needOf } from "../keys/needs.ts";
import { localFiles } from "../rotate/local-ledger.ts";
import type { ConfiguredWorker, Where } from "../worker.ts";
import { askDeployed } from "./deployed.ts";
import type { Line } from "./line.ts";

export async function neededLines(options: ApiOptions & Where, worker: ConfiguredWorker): Promise<Line[]> {
  return [...(await byWorker(options, worker)), ...(await byLedger(options))];
}

async function byWorker(options: ApiOptions & Where, worker: ConfiguredWorker): Promise<Line[]> {
  if (!process.env.SSEC_TOKEN) return [];
  try {
    const { doubt, keys } = await askDeployed(options, worker);
    return doubt === undefined ? linesOf([...keys.values()], []) : [];
  } catch {
    // Whoever is no admin, or a Worker that does not answer: other lines tell where that matters.
    return [];
  }
}

async function byLedger(where: Where): Promise<Line[]> {
  if (!existsSync(localFiles(where).ledger)) return [];
  const { LocalRotations } = await import("../rotate/local.ts");
  const rotations = await LocalRotations.open(where, "look");
  try {
    return linesOf(await rotations.keys(), rotations.flags);
  } finally {
    await rotations.close();
  }
}

/** What was scanned, of keys that have left the first place somewhere. */
function linesOf(keys: readonly ReportedKey[], flags: readonly string[]): Line[] {
  return keys.flatMap((key) => {
    const { neededBy, state } = key;
    if (neededBy === undefined || state === "pending") return [];
    if (neededBy.buckets.every(({ doubt }) => doubt === "writes")) return [];
    return [{ verdict: neededBy.removable ? "warn" : "off", what: `KEYS.${needOf(key, flags)}` }];
  });
}
