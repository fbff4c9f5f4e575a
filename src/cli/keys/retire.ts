/** A key that nothing needs any more goes: out of the configuration here, and out of the world by its operator's hand. */
import type { ReportedKey } from "../../rotation/needed.ts";
import { shownFlags } from "../bound.ts";
import { deploy } from "../called-as.ts";
import { askDeployed } from "../check/deployed.ts";
import { difference } from "../diff.ts";
import { edited } from "../edit/carry-out.ts";
import { devVarsPath, namesIn } from "../edit/dev-vars.ts";
import { readBefore, writeTogether } from "../edit/files.ts";
import { type RotationsOptions, rotationsFor } from "../rotate/open.ts";
import { agree, EXIT, nextCommand, printable } from "../terminal.ts";
import { type ConfiguredWorker, keyOf, readWorker } from "../worker.ts";
import { needOf } from "./needs.ts";

export interface RetireOptions extends RotationsOptions {
  readonly yes?: true;
}

/** @throws when it is not known that nothing needs the key, or the file cannot be edited */
export async function retire(id: string, options: RetireOptions): Promise<void> {
  const { config: path, env, yes } = options;
  const worker = await readWorker(options);
  const rule = keyOf(worker.config, id);
  const buckets = [...worker.config.buckets.values()].filter(({ keys }) => keys.includes(rule));
  if (buckets.length === 0)
    throw new Error(
      `KEYS.${id} is in no bucket's keys, so that no scan sees what lies under it: put it last in the keys of the buckets that it wrote to, deploy, and scan them. Of a key that never wrote, take the lines out by hand`,
    );
  const report = await reportOf(id, options, worker);
  if (report?.neededBy?.removable !== true) {
    const flags = options.local ? ["--local"] : [];
    const why = report === undefined ? `${id} is not shown to this caller` : needOf(report, flags);
    const scans = buckets.map(({ name }) => `\n  ${nextCommand("keys", "scan", name, ...flags)}`);
    throw new Error(`${why}${report?.neededBy === undefined ? scans.join("") : ""}`);
  }
  const file = readBefore(path);
  const names = buckets.map(({ name }) => name);
  const drop = [{ table: "KEYS", id }] as const;
  const text = edited(file, { drop, add: {}, dropKey: { key: id, buckets: names } }, env);
  console.log(`${id} is needed by nothing (scan of ${report.neededBy.scannedAt}).`);
  if (options.local)
    console.log(
      `! By scans of this machine alone: they know nothing of a Worker that still writes under ${id}, because this configuration is not deployed.`,
    );
  console.log(`${printable(path)}:\n${difference(file.text, text)}`);
  if (!(await agree("Write this?", yes === true))) {
    console.error("not agreed; nothing was changed");
    process.exitCode = EXIT.failed;
    return;
  }
  writeTogether([{ before: file, text }]);
  console.log(`\nWritten. Next:\n${next(id, options, worker).join("\n")}`);
}

/** @throws when the Worker that is asked is not the one of this configuration */
async function reportOf(
  id: string,
  options: RetireOptions,
  worker: ConfiguredWorker,
): Promise<ReportedKey | undefined> {
  if (!options.local) {
    const { doubt, keys } = await askDeployed(options, worker);
    if (doubt !== undefined) throw new Error(doubt);
    return keys.get(id);
  }
  const rotations = await rotationsFor(options, "look");
  try {
    return (await rotations.keys()).find((key) => key.id === id);
  } finally {
    await rotations.close();
  }
}

/** What is left to do by hand, in its order: as long as the secret is there, all can be put back. */
function next(id: string, where: RetireOptions, { config, bindings }: ConfiguredWorker): string[] {
  const { secret } = keyOf(config, id);
  const others = [...config.keys.values()].filter((rule) => rule.secret === secret && rule.id !== id);
  if (others.length > 0) {
    const names = others.map((rule) => `KEYS.${rule.id}`).join(", ");
    return [`  ${deploy(shownFlags(where))}`, `The secret ${secret} stays: it is that of ${names} as well.`];
  }
  const devVars = readBefore(devVarsPath(where.config, where.env));
  const remove = bindings.has(secret)
    ? `  npx wrangler secrets-store secret list STORE_ID --remote\n      shows its id, by which "secret delete" destroys it; its [[secrets_store_secrets]] goes as well`
    : `  npx wrangler secret delete ${secret}${shownFlags(where)}`;
  return [
    `  ${deploy(shownFlags(where))}`,
    `Then destroy its secret, and every copy that was kept: what may still lie under it is lost with it.`,
    remove,
    ...(namesIn(devVars.text).has(secret)
      ? [`  take the line ${secret}= out of ${printable(devVars.path)}`]
      : []),
  ];
}
