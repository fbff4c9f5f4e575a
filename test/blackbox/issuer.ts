/** An issuer of JWTs: a JWKS address on this machine, which can be made to misbehave, and tokens that it signs. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

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
  let requests = 0;
  const server = createServer(async (_, response) => {
    requests++;
    const jwks = await Promise.all(
      keys.map(async ({ kid, pair }) => ({ ...(await exportJWK(pair.publicKey)), kid })),
    );
    behaviour(response, JSON.stringify({ keys: jwks }));
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
    requests: () => requests,
    /** A good token, but for what is given. */
    token: (claims: JWTPayload = {}, header: object = {}, kid = "first") => {
      const { pair } = keys.find((key) => key.kid === kid) ?? (keys[0] as (typeof keys)[0]);
      const now = Math.floor(Date.now() / 1000);
      const all = { iss: `${origin}/`, aud: AUDIENCE, sub: "42", iat: now, exp: now + 300, ...claims };
      return new SignJWT(JSON.parse(JSON.stringify(all)))
        .setProtectedHeader({ alg: algorithm, kid, ...header })
        .sign(pair.privateKey, { crit: { x: true } });
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type Issuer = Awaited<ReturnType<typeof startIssuer>>;
