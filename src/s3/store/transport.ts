/** What carries requests to a store: the runtime's fetch, unless a program has something that serves it better. */

export interface Transport {
  /** The answer, whatever its status; no redirect is followed. @throws when there is none, or the signal ends it */
  send(url: string, request: Outgoing): Promise<Response>;
  /** Whether "." and ".." in a path arrive as they are: clients that parse URLs take them out. */
  readonly sendsDots: boolean;
}

export interface Outgoing {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | ReadableStream<Uint8Array>;
  /** Of a body that is a stream, bytes, as was signed; a Worker's streams know theirs. */
  readonly length?: string | undefined;
  readonly signal: AbortSignal;
  /** Whether the answer's body is read as it came, whatever its content-encoding says. */
  readonly asStored: boolean;
}

export const byFetch: Transport = {
  send: async (url, { method, headers, body, signal, asStored }) => {
    const send = () =>
      fetch(url, {
        method,
        headers,
        redirect: "manual",
        signal,
        ...(asStored && { encodeResponseBody: "manual" }),
        ...(body !== undefined && { body: body as NonNullable<RequestInit["body"]> }),
      });
    try {
      return await send();
    } catch (error) {
      // A store closes a connection that is idle, maybe just when it is used again: what changes nothing is asked anew.
      if (signal.aborted || (method !== "GET" && method !== "HEAD")) throw error;
      return send();
    }
  },
  sendsDots: false,
};
