/** The line in the log that every object has which a rotation has looked at, in the Worker and on this machine. */
import type { Outcome } from "./object.ts";
import type { Rotation } from "./state.ts";

export function objectLine(
  { id, bucket, toKey }: Rotation,
  key: string,
  { result, found, bytes, failure }: Outcome,
): object {
  return {
    event: "rotation",
    time: new Date().toISOString(),
    rotation: id,
    bucket,
    key,
    result,
    from: found,
    to: toKey,
    ...(bytes > 0 && { bytes }),
    ...failure,
  };
}
