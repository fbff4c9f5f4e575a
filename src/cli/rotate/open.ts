/** Rotations where the command's options say that they run. */
import { Api, type ApiOptions } from "../api.ts";
import type { Where } from "../worker.ts";
import { RemoteRotations } from "./remote.ts";
import type { Purpose, Rotations } from "./rotations.ts";

export interface RotationsOptions extends ApiOptions, Where {
  readonly local?: true;
}

/** @throws when they cannot be reached */
export async function rotationsFor(options: RotationsOptions, purpose: Purpose): Promise<Rotations> {
  if (!options.local) return new RemoteRotations(new Api(options));
  const { LocalRotations } = await import("./local.ts");
  return LocalRotations.open(options, purpose);
}
