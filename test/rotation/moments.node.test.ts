/**
 * What readers, writers and counts see of a rotation, at every moment of it, on a day on which the queue loses, doubles and delays
 * messages. By copies on the development store; through here on Ceph. test/large/rotation.test.ts is the same with kills and large objects.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RotationDay, rotationDay } from "../support/rotation-day.ts";
import { carry } from "../support/rotator.ts";

const OBJECTS = 90;
const WRITTEN = 12;
const LIMITS = {
  pageSize: 17,
  lease: 2_000,
  resend: 250,
  window: 3,
  checkpointObjects: 5,
  concurrency: 1,
  maxConcurrency: 2,
  backoff: 10,
  pause: 100,
  maxPause: 500,
};

let day: RotationDay;
beforeAll(async () => {
  day = await rotationDay({ objects: OBJECTS, written: WRITTEN, limits: LIMITS });
  await day.fill();
}, 120_000);
afterAll(() => day?.close());

/** Milliseconds. */
const PATIENCE = 40_000;

async function rotated(id: string) {
  await carry(day.orders(id, "nothing"), PATIENCE);
  return day.reportOn(id);
}

test(
  "while writers overwrite and delete, no object is unreadable or stale at any moment, and all are counted",
  {
    timeout: 120_000,
  },
  async () => {
    const { truth, failing, ledger } = day;
    const all = OBJECTS + WRITTEN + failing;
    const inventory = await rotated(await day.begin(true));
    expect(inventory).toMatchObject({
      state: "done",
      listed: all,
      rotated: 0,
      found: truth,
      failed: failing,
    });

    const id = await day.begin();
    const { reads, writes } = await day.meanwhile(() => carry(day.orders(id, "the queue"), PATIENCE));
    expect(reads).toBeGreaterThan(OBJECTS);
    expect(writes).toBeGreaterThan(2 * WRITTEN);
    const report = await day.reportOn(id);
    expect(report).toMatchObject({ state: "done", failed: failing });
    // What was rotated, and could not be told any more, is found rotated, and skipped, by whoever goes on.
    expect(report.rotated).toBeGreaterThan(OBJECTS / 2);
    expect(report.rotated + report.skipped).toBeGreaterThanOrEqual(OBJECTS);
    expect(report.rotated + report.skipped).toBeLessThanOrEqual(OBJECTS + WRITTEN);
    await day.expectAllRotated();

    // What was written under the old key behind the rotation's back is the second's; of the rest it skips all.
    const second = await rotated(await day.begin());
    expect(second).toMatchObject({ state: "done", failed: failing });
    expect(second.rotated).toBeLessThanOrEqual(WRITTEN);
    const last = await day.begin();
    const third = await rotated(last);
    expect(third).toMatchObject({ state: "done", rotated: 0, failed: failing });
    // Nobody writes any more: as many as the lister has seen.
    expect(third.skipped + third.failed).toBe((await ledger.find(last))?.listed);
    expect(third.found).toEqual({ k2: third.skipped, plain: failing / 2, unknown: failing / 2 });
    await day.expectLastWrites();
  },
);
