/** Rotations that run in the Worker. */
import type { ReportedKey } from "../../rotation/needed.ts";
import type { RotationReport } from "../../rotation/state.ts";
import type { Api } from "../api.ts";
import type { ErrorsPage, Rotations, Wanted } from "./rotations.ts";

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
