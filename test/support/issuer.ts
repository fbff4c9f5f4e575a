/** An issuer of JWTs: a JWKS address on this machine, which can be made to misbehave, and tokens that it signs. */
import { randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CompactSign, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

export const AUDIENCE = "ssec-edge";

export type Behaviour = (response: ServerResponse, keys: string) => void;

export const BEHAVIOURS = {
  good: (response, keys) => response.end(keys),
  html: (response) => response.setHeader("content-type", "text/html").end("<!doctype html><h1>Sign in</h1>"),
  "not-a-key-set": (response) => response.end('{"keys": 42}'),
  huge: (response, keys) => response.end(`${keys.slice(0, -1)}, "padding": "${"x".repeat(1_000_000)}"}`),
  error: (response) => {
    response.statusCode = 500;
    response.end();
  },
  redirect: (response) => {
    response.writeHead(302, { location: "http://127.0.0.1:9/" }).end();
  },
  cut: (response, keys) => {
    response.write(keys.slice(0, 20));
    setImmediate(() => response.destroy());
  },
  silent: () => {},
} as const satisfies Record<string, Behaviour>;

export async function startIssuer(algorithm = "ES256") {
  const keys: { kid: string; pair: Awaited<ReturnType<typeof generateKeyPair>> }[] = [];
  const addKey = async (kid: string, alg = algorithm) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    keys.push({ kid, pair });
  };
  await addKey("first");
  let behaviour: Behaviour = BEHAVIOURS.good;
  let publish = (keys: JWK[]): unknown[] => keys;
  let requests = 0;
  const server = createServer(async (_, response) => {
    requests++;
    const jwks = await Promise.all(
      keys.map(async ({ kid, pair }) => ({ ...(await exportJWK(pair.publicKey)), kid })),
    );
    behaviour(response, JSON.stringify({ keys: publish(jwks) }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    issuer: `${origin}/`,
    jwks: `${origin}/jwks.json`,
    addKey,
    publicKey: () => exportJWK((keys[0] as (typeof keys)[0]).pair.publicKey),
    behave: (next: Behaviour) => {
      behaviour = next;
    },
    /** What is to be in the key set instead of the issuer's own keys. */
    publish: (make: typeof publish) => {
      publish = make;
    },
    requests: () => requests,
    /** What the text says, which no JSON of JavaScript's might: numbers to the last digit, a name twice, no object. */
    sign: (payload: string, header: object = {}) =>
      new CompactSign(new TextEncoder().encode(payload))
        .setProtectedHeader({ alg: algorithm, kid: "first", ...header })
        .sign((keys[0] as (typeof keys)[0]).pair.privateKey),
    /** A good token, but for what is given. */
    token: (claims: JWTPayload = {}, header: object = {}, kid = "first") => {
      const { pair } = keys.find((key) => key.kid === kid) ?? (keys[0] as (typeof keys)[0]);
      const now = Math.floor(Date.now() / 1000);
      const all = { iss: `${origin}/`, aud: AUDIENCE, sub: "42", iat: now, exp: now + 300, ...claims };
      return new SignJWT(JSON.parse(JSON.stringify(all)))
        .setProtectedHeader({ alg: algorithm, kid, ...header })
        .sign(pair.privateKey, { crit: { x: true } });
    },
    /** A good token, but for a header that no library signs, and a signature that is none. */
    forge: async (header: object = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: `${origin}/`, aud: AUDIENCE, sub: "42", iat: now, exp: now + 300 };
      const [head, payload] = [{ alg: algorithm, kid: "first", ...header }, claims].map((part) =>
        Buffer.from(JSON.stringify(part)).toString("base64url"),
      );
      return `${head}.${payload}.${randomBytes(64).toString("base64url")}`;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type Issuer = Awaited<ReturnType<typeof startIssuer>>;
