/** Headers in the query: clients that presign put those of S3's there, where they mean the same. */
import { isOfNothing } from "../edge/digests.ts";
import type { Claim } from "./claim.ts";
import { S3Fault } from "./faults.ts";

const PAYLOAD = "x-amz-content-sha256";
/** They say nothing that the signature, or the checksum beside, does not. */
const EMPTY_WORDS = [PAYLOAD, "x-amz-sdk-checksum-algorithm"];

/**
 * @param query without the signature's own; such parameters are taken out of it, however they are spelt: Go's clients
 * write them in capitals
 * @param headers get them
 * @throws {S3Fault} InvalidArgument for what is given twice, and not alike, or can be no header
 */
export function hoist(query: URLSearchParams, headers: Headers, { payload }: Pick<Claim, "payload">): void {
  const seen = new Set<string>();
  for (const [parameter, value] of [...query]) {
    const name = parameter.toLowerCase();
    if (!name.startsWith("x-amz-")) continue;
    demandHeader(name, value);
    const other = name === PAYLOAD ? payload : headers.get(name);
    if (seen.has(name) || (other !== null && other !== value))
      throw new S3Fault("InvalidArgument", `${name} is given twice.`);
    seen.add(name);
    query.delete(parameter);
    // Who presigns mostly has no body yet: AWS's own clients write the checksum of none then, whatever is sent later.
    if (!EMPTY_WORDS.includes(name) && !isOfNothing(name, value)) headers.set(name, value);
  }
}

/** @throws {S3Fault} InvalidArgument */
function demandHeader(name: string, value: string): void {
  try {
    new Headers([[name, value]]);
  } catch {
    // A TypeError says so.
    throw new S3Fault("InvalidArgument", `${name} is no header that could be sent.`);
  }
}
