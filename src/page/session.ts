/** Who is signed in. The token is in memory, and in the tab's session storage only when that is asked for. */
import { Api } from "../client/api.ts";
import { type Client, createClient, type Presigned, SsecError } from "../client/index.ts";

export interface Grant {
  readonly bucket: string;
  readonly prefix: string;
  readonly allow: readonly string[];
  readonly maxExpiresIn?: number;
}

export interface Me {
  readonly caller: string;
  readonly subject?: string;
  readonly grants: readonly Grant[];
}

export interface Session {
  readonly me: Me;
  /** Where the service is, with the path that it is mounted at; it ends in a slash. */
  readonly url: string;
  readonly files: Client;
  /** For what the client has no method for. */
  ask<T>(path: string, body?: object, signal?: AbortSignal): Promise<T>;
  /** A link of the edge; where users can have none, the service is `unavailable`. */
  link(request: object, signal?: AbortSignal): Promise<Presigned>;
  /** Changes something. */
  send(method: "DELETE" | "POST", path: string): Promise<void>;
  /** Resolves when the service takes the token no longer, whoever of the page asked. */
  readonly ended: Promise<void>;
  keep(isKept: boolean): void;
  readonly isKept: boolean;
}

const KEPT = "ssec-edge token";

/** @throws {SsecError} unauthenticated, where the token is nobody's */
export async function signIn(token: string): Promise<Session> {
  // A header cannot hold anything else, and fetch would not say why.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new SsecError("unauthenticated", "This is not a token.");
  const url = new URL(".", location.href).href;
  const api = new Api({ url, token });
  const me = await api.json<Me>("/v1/me");
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const calls: Pick<Session, "ask" | "link" | "send"> = {
    ask: (path, body, signal) => api.json(path, body, { signal }),
    link: (request, signal) =>
      api.json("/v1/presign", { operation: "GetObject", via: "edge", ...request }, { signal }),
    send: async (method, path) => {
      await (await api.ask(path, { method })).text();
    },
  };
  return {
    me,
    url,
    files: watched(createClient({ url, token }), end),
    ...watched(calls, end),
    ended,
    keep: (isKept) => (isKept ? sessionStorage.setItem(KEPT, token) : forget()),
    get isKept() {
      return kept() !== null;
    },
  };
}

/** The same methods, of which each says when the token counts no more. */
function watched<T extends object>(methods: T, end: () => void): T {
  const each = Object.entries(methods).map(([name, method]) => [
    name,
    async (...given: unknown[]) => {
      try {
        return await method(...given);
      } catch (error) {
        if (error instanceof SsecError && error.code === "unauthenticated") end();
        throw error;
      }
    },
  ]);
  return Object.fromEntries(each);
}

export const kept = (): string | null => sessionStorage.getItem(KEPT);
export const forget = (): void => sessionStorage.removeItem(KEPT);

/** The token of the link that brought here. It leaves the address bar at once; no server ever sees a fragment. */
export function tokenOfLink(): string | undefined {
  const [, token] = /^#token=(.*)$/.exec(location.hash) ?? [];
  if (token === undefined) return undefined;
  history.replaceState(null, "", location.pathname);
  try {
    return decodeURIComponent(token);
  } catch {
    return undefined;
  }
}

export const isAdmin = ({ grants }: Me): boolean => grants.some(({ allow }) => allow.includes("admin"));

/** Where a caller may do something: each bucket with the prefixes of the grants that let them, without those within another. */
export function placesOf({ grants }: Me, what: string): Grant[] {
  const places = grants.filter(({ allow }) => allow.includes(what));
  const isWithin = (one: Grant, other: Grant) =>
    one !== other &&
    one.bucket === other.bucket &&
    one.prefix.startsWith(other.prefix) &&
    (one.prefix !== other.prefix || places.indexOf(one) > places.indexOf(other));
  return places.filter((place) => !places.some((other) => isWithin(place, other)));
}

/** Where there is something to do: what may be read, and what may only be written. */
export function foldersOf(me: Me): Grant[] {
  const isRead = ({ bucket, prefix }: Grant) => may(me, "read", bucket, prefix);
  return [...placesOf(me, "read"), ...placesOf(me, "write").filter((place) => !isRead(place))];
}

/** Whether any grant on the object allows it. */
export function may({ grants }: Me, what: string, bucket: string, key: string): boolean {
  return grants.some(
    (grant) => grant.bucket === bucket && grant.allow.includes(what) && key.startsWith(grant.prefix),
  );
}
