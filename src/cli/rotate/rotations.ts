/** Rotations, wherever they run: in the Worker, or in this process. */
import type { ReportedKey } from "../../rotation/needed.ts";
import type { Failure, RotationReport } from "../../rotation/state.ts";
import { Api, type ApiOptions } from "../api.ts";
import type { Where } from "../worker.ts";

/** What a rotation is begun with. */
export interface Wanted {
  readonly bucket: string;
  readonly prefix?: string;
  readonly from?: string;
  readonly to?: string;
  readonly dryRun?: true;
  readonly versions?: true;
  readonly removeVersions?: true;
  readonly encryptPlain?: true;
}

export interface ErrorsPage {
  readonly errors: readonly Failure[];
  readonly cursor?: string;
}

export interface Rotations {
  /** @throws {ConflictError} when another runs in the same bucket */
  start(wanted: Wanted): Promise<RotationReport>;
  /** Of a bucket, the newest first; not for ever back. */
  list(bucket: string): Promise<readonly RotationReport[]>;
  /** How far it is; what was lost on the way goes on. */
  find(id: string): Promise<RotationReport>;
  errors(id: string, cursor?: string): Promise<ErrorsPage>;
  cancel(id: string): Promise<RotationReport>;
  resume(id: string): Promise<RotationReport>;
  keys(): Promise<readonly ReportedKey[]>;
  /** With which a command is about the same rotations. */
  readonly flags: readonly string[];
  /** Whether a rotation goes on when this process ends. */
  readonly goesOn: boolean;
  close(): Promise<void>;
}

export interface RotationsOptions extends ApiOptions, Where {
  readonly local?: true;
}

/** What they are opened for: whoever works on a local ledger is alone in that. */
export type Purpose = "work" | "look" | "cancel";

/** @throws when they cannot be reached */
export async function rotationsFor(options: RotationsOptions, purpose: Purpose): Promise<Rotations> {
  if (!options.local) return new RemoteRotations(new Api(options));
  const { LocalRotations } = await import("./local.ts");
  return LocalRotations.open(options, purpose);
}

export class RemoteRotations implements Rotations {
  readonly flags = [];
  readonly goesOn = true;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  start(wanted: Wanted): Promise<RotationReport> {
    return this.#api.post("/v1/rotations", wanted);
  }

  async list(bucket: string): Promise<readonly RotationReport[]> {
    return (await this.#api.get<{ rotations: RotationReport[] }>("/v1/rotations", { bucket })).rotations;
  }

  find(id: string): Promise<RotationReport> {
    return this.#api.get(`/v1/rotations/${id}`);
  }

  errors(id: string, cursor?: string): Promise<ErrorsPage> {
    return this.#api.get(`/v1/rotations/${id}/errors`, { cursor });
  }

  async cancel(id: string): Promise<RotationReport> {
    const response = await this.#api.fetch(`/v1/rotations/${id}`, { method: "DELETE" });
    return (await response.json()) as RotationReport;
  }

  resume(id: string): Promise<RotationReport> {
    return this.#api.post(`/v1/rotations/${id}/resume`, {});
  }

  async keys(): Promise<readonly ReportedKey[]> {
    return (await this.#api.get<{ keys: ReportedKey[] }>("/v1/keys")).keys;
  }

  async close(): Promise<void> {}
}
