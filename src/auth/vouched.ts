/** Callers that an embedding Worker vouches for, in place of tokens and JWTs. */
import type { Grant } from "../config/load.ts";
import { Refused } from "../refused.ts";
import type { Caller } from "./callers.ts";

/** A caller as an embedding Worker names one; prefixes are as they stand, without claims. */
export interface GivenCaller extends Pick<Caller, "name" | "subject"> {
  readonly grants: readonly (Omit<Grant, "maxExpiresIn"> & {
    /** Seconds; 3600 unless it is given. */
    readonly maxExpiresIn?: number;
  })[];
}

/** @param env of the request, as the Worker has it */
export type Authenticate = (
  request: Request,
  env: Readonly<Record<string, unknown>>,
) => GivenCaller | undefined | Promise<GivenCaller | undefined>;

/** @throws {Refused} `unauthenticated` for nobody */
export function vouchedFor(given: GivenCaller | undefined): Caller {
  if (given !== undefined) {
    const { name, subject, grants } = given;
    return {
      name,
      ...(subject !== undefined && { subject }),
      grants: grants.map((grant) => ({ maxExpiresIn: 3600, ...grant })),
      by: { kind: "vouched" },
    };
  }
  throw new Refused("unauthenticated", "Who is calling is not known.");
}
