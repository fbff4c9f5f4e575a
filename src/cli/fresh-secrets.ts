/** Secrets as they are made here: what they are called, and what is in them. */
import { randomBytes } from "node:crypto";
import { KEY_BYTES } from "../keys/customer-key.ts";

/** The name of the secret that holds a key, as it is given out here. */
export function keySecret(id: string): string {
  return `SSEC_${id.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}

/** The name of the secret that holds a caller's token. */
export function tokenSecret(caller: string): string {
  return `${caller.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}_TOKEN`;
}

/** A fresh key and a fresh token, by CSPRNG. */
export const freshKey = (): string => randomBytes(KEY_BYTES).toString("base64");
export const freshToken = (): string => randomBytes(32).toString("base64url");
