/** Of workerd's own globals, what is used. */

/** @see https://developers.cloudflare.com/workers/runtime-apis/streams/transformstream/#fixedlengthstream */
declare class FixedLengthStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(expectedLength: number);
}

/** @see https://developers.cloudflare.com/workers/runtime-apis/scheduler/ */
declare const scheduler: { wait(milliseconds: number): Promise<void> };

/** @see https://developers.cloudflare.com/workers/runtime-apis/streams/transformstream/#identitytransformstream */
declare class IdentityTransformStream extends TransformStream<Uint8Array, Uint8Array> {}

/** "manual": a body comes as it is, whatever its content-encoding says. */
interface RequestInit {
  encodeResponseBody?: "automatic" | "manual";
}
