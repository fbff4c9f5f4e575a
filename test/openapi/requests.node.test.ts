/** What the document describes is what the service does. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { sendExamples } from "./examples.ts";
import { fuzz, table, unreached, untold } from "./fuzz.ts";
import { type Rig, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

it("does what the document's examples ask for", { tags: ["thorough"] }, async () => {
  const sent = await sendExamples(rig);
  expect(sent.length).toBeGreaterThan(30);
  expect(sent.filter(({ status, fault }) => status >= 300 || fault !== undefined)).toEqual([]);
});

it.each([
  ["/v1/s3/credentials", [], ""],
  ["/v1/presign", { operation: "GetObject", bucket: "media", key: "a", response: [] }, "response"],
])("takes no list for an object: %s", async (path, body, at) => {
  const headers = { authorization: `Bearer ${rig.token}` };
  const answer = await fetch(rig.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ errors: [{ path: at, message: "must be an object" }] });
});

it("answers requests of every kind as described, and none with 5xx", async () => {
  const { faults, statuses } = await fuzz({ ...rig, count: 150, seed: 1 });
  expect(faults.length, faults.join("\n\n")).toBe(0);
  for (const status of [200, 204, 400, 401, 403, 404])
    expect(statuses[status], `${status}`).toBeGreaterThan(0);
});

/** Of a known seed, so that what fails can be had again; FUZZ_SEED and FUZZ_REQUESTS take others. */
const COUNT = Number(process.env.FUZZ_REQUESTS ?? 100_000);
const SEED = Number(process.env.FUZZ_SEED ?? 2026);
/** Of fewer no operation is sure to be done, and no status to come. */
const ENOUGH = 20_000;
const MANY = 100_000;

it(`answers ${COUNT} of them so`, { tags: ["thorough"], timeout: 1_800_000 }, async () => {
  const [cheaperUrl, busyUrl] = [await rig.another(), await rig.busy()];
  const { faults, statuses, reached } = await fuzz({ ...rig, cheaperUrl, busyUrl, count: COUNT, seed: SEED });
  process.stdout.write(`${table(reached)}\n`);
  expect(faults.length, faults.join("\n\n")).toBe(0);
  for (const status of [202, 304, 405, 409, 411, 412, 413, 415, 416, 429])
    expect(statuses[status], `${status}`).toBeGreaterThan(0);
  if (COUNT >= ENOUGH) expect(unreached(reached), "operations that no request got done").toEqual([]);
  if (COUNT >= MANY) expect(untold(reached), "statuses that no request got").toEqual([]);
});
