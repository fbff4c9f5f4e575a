/** The secrets of the deployed Worker. Cloudflare lists their names and takes values; it gives none back. */

import { quoted } from "./called-as.ts";
import { wranglersOwn } from "./usual-config.ts";
import type { Where } from "./worker.ts";
import { runWrangler, wrangler } from "./wrangler.ts";

/** What makes wrangler mean the same Worker as we do. An empty environment is the one outside `[env]`. */
export function wranglerFlags({ config, env = "" }: Where): string[] {
  return ["--config", config, "--env", env];
}

/** The same in a command that is shown: with a blank before each, and nothing that goes without saying. */
export function shownFlags({ config, env }: Where): string {
  const path = config === (wranglersOwn() ?? "wrangler.toml") ? "" : ` --config ${quoted(config)}`;
  return `${path}${env ? ` --env ${quoted(env)}` : ""}`;
}

/**
 * Their names; none where there is no such Worker yet.
 *
 * @throws with what wrangler says
 */
export async function boundSecrets(where: Where): Promise<ReadonlySet<string>> {
  const list = ["secret", "list", "--format", "json", ...wranglerFlags(where)];
  const { status, stdout, stderr } = await runWrangler(list);
  if (status === 0) return new Set((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name));
  if (/Worker "[^"]+"( \(env: [^)]+\))? not found/.test(stderr)) return new Set();
  throw new Error(`wrangler could not list the Worker's secrets:\n${stderr.trim()}`);
}

/**
 * Binds a secret that is not bound yet; the Worker is made where there is none.
 *
 * @throws when there is one of that name, which may be all that opens somebody's data
 */
export async function bindSecret(name: string, value: string, where: Where): Promise<void> {
  if ((await boundSecrets(where)).has(name)) {
    throw new Error(
      `${name} is bound already, and replacing it would lose what lies under it: take another id, or delete it first`,
    );
  }
  await wrangler(["secret", "put", name, ...wranglerFlags(where)], { input: value });
}
