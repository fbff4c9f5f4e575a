/** GET /healthz: whether the configuration and every secret that it names can be used. It names none of them. */

import { Hono } from "hono";
import { tokenFault, twinsOf } from "../../auth/token.ts";
import { SecretError } from "../../config/secrets.ts";
import type { AppEnv } from "../../front/context.ts";
import { Refused } from "../../refused.ts";
import type { Service, ServiceOf } from "../../service.ts";

export const healthRoutes = (serviceOf: ServiceOf) =>
  new Hono<AppEnv>().get("/", async (c) => {
    c.header("cache-control", "no-store");
    if (!(await isUsable(c.env, serviceOf)))
      throw new Refused("unavailable", "The configuration or a secret cannot be used.");
    return c.json({ status: "ok" });
  });

async function isUsable(env: AppEnv["Bindings"], serviceOf: ServiceOf): Promise<boolean> {
  try {
    await useEverything(serviceOf(env), env);
    return true;
  } catch {
    // The reason is in `GET /v1/keys` and the log of whoever meets it; here it would be told to anyone.
    return false;
  }
}

async function useEverything({ config, secrets, ring }: Service, env: AppEnv["Bindings"]): Promise<void> {
  for (const rule of config.keys.values()) await ring.md5(rule);
  for (const { accessKeyId, secretAccessKey, sessionToken } of config.stores.values()) {
    for (const name of [accessKeyId, secretAccessKey, sessionToken])
      if (name !== undefined) await secrets.read(name);
  }
  const tokens = new Map<string, string>();
  for (const { name: caller, token: name } of config.tokenCallers) {
    const token = await secrets.read(name);
    const fault = tokenFault(token);
    if (fault !== undefined) throw new SecretError(`secret ${name} is a token ${fault}`);
    tokens.set(caller, token);
  }
  const twins = twinsOf(tokens);
  if (twins !== undefined)
    throw new SecretError(`CALLERS.${twins.join(" and CALLERS.")} have the same token`);
  const { GATEWAY_SECRET, gatewaySecret } = await import("../../auth/session.ts");
  // What is bound is meant to be used.
  if (env[GATEWAY_SECRET] !== undefined && (await gatewaySecret(secrets)) === undefined)
    throw new SecretError(`secret ${GATEWAY_SECRET} cannot be read`);
}
