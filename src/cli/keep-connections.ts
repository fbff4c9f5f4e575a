/**
 * Node's fetch ends its connection after every HEAD, in case that the server sends a body all the same; a new one costs a
 * handshake, which is more than the HEAD. Stores of S3 send none.
 *
 * @see https://github.com/nodejs/undici/issues/258
 */

/** What fetch hands its requests to, of which only this is used. */
interface Dispatcher {
  dispatch(options: object, handler: unknown): boolean;
}

/** Where Node keeps it; undici's `setGlobalDispatcher` sets the same. */
const GLOBAL = Symbol.for("undici.globalDispatcher.1");

/** From now on fetch keeps its connections. Where Node has its dispatcher elsewhere, nothing changes. */
export function keepConnections(): void {
  // It is there as soon as something of fetch's is.
  void Headers;
  const place = globalThis as { [GLOBAL]?: Dispatcher };
  const own = place[GLOBAL];
  if (own === undefined) return;
  place[GLOBAL] = {
    dispatch: (options, handler) => own.dispatch({ ...options, reset: false }, handler),
  };
}
