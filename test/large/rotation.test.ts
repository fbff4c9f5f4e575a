/**
 * A large rotation on the worst of days: small objects of odd names and one that goes by parts, while the process that rotates
 * is killed again and again, its queue loses messages, its database fails, writers overwrite and delete, and readers read
 * through presigned URLs and through the edge. On the development store by copies, on Ceph through here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CustomerKey } from "../../src/keys/customer-key.ts";
import { copySourceKeyHeaders, customerKeyHeaders } from "../../src/keys/headers.ts";
import { sleep } from "../../src/rotation/pace.ts";
import { copySourceHeader } from "../../src/s3/api/fields.ts";
import { sendToStore } from "../../src/s3/store/fetch.ts";
import { MultipartUpload } from "../../src/s3/store/multipart.ts";
import { textOf } from "../../src/s3/store/xml.ts";
import { again, type RotationDay, rotationDay } from "../support/rotation-day.ts";

/**
 * As many as a suite has time for: ROTATED_OBJECTS=20000 ROTATED_MIB=6144 is what the engine is made for. On Ceph that needs
 * a disk, CEPH_DISK_BYTES=42949672960, and took 41 minutes on two busy cores.
 */
const OBJECTS = Number(process.env.ROTATED_OBJECTS ?? 300);
/** In memory, Ceph stalls when about 2.4 GiB are written in all: what is read and written again has to fit twice. */
const MEBIBYTES = Number(process.env.ROTATED_MIB ?? 128);
/** Keys that come and go meanwhile. */
const WRITTEN = 120;
const PART = 64 * 2 ** 20;
const LIMITS = {
  // A smaller one goes by parts as well.
  maxCopy: Math.min(5 * 1024, MEBIBYTES / 2) * 2 ** 20,
  copiedPart: Math.min(512, MEBIBYTES / 8) * 2 ** 20,
  pageSize: 500,
  lease: 2_000,
  resend: 1_500,
  // A sign of life several times in a lease, however slow the machine is, as it is in earnest.
  checkpointEvery: 400,
  window: 6,
  backoff: 20,
  pause: 300,
  maxPause: 2_000,
};
/** How often it is killed at most: on a slow machine it would hardly get on else. */
const MAX_KILLS = 8;
/** After so many milliseconds of work each; the first at once when something is done, since a fast machine has all done soon. */
const killAfter = (kills: number) => (kills === 0 ? 0 : 2_000 + Math.random() * 5_000);

let day: RotationDay;
let rotator: ChildProcess | undefined;
beforeAll(async () => {
  day = await rotationDay({ objects: OBJECTS, written: WRITTEN, limits: LIMITS });
});
afterAll(async () => {
  rotator?.kill("SIGKILL");
  await day?.close();
});

/** A large object, whose parts the store copies out of a small one, each from elsewhere: no two of them are alike. */
async function writeLarge(key: string): Promise<string> {
  const { bucket, old } = day;
  const piece = randomBytes(PART + 2 ** 20);
  const headers = customerKeyHeaders(old);
  const put = { method: "PUT", bucket: bucket.bucket, key: "piece", query: {}, headers };
  const { status } = await again(() => sendToStore(put, { credentials: bucket.credentials, body: piece }));
  expect(status).toBe(200);
  const create = { name: "CreateMultipartUpload", method: "POST", key, query: { uploads: "" }, headers };
  const { element } = await bucket.run(create, "InitiateMultipartUploadResult");
  const uploadId = textOf(element, "UploadId") ?? "";
  const source = copySourceHeader(bucket.bucket.storeBucket, { key: "piece" });
  const hash = createHash("sha256");
  const parts: { partNumber: number; etag: string }[] = [];
  for (let partNumber = 1; partNumber * PART <= MEBIBYTES * 2 ** 20; partNumber++) {
    const first = partNumber * 4099;
    const copy = {
      name: "UploadPartCopy",
      method: "PUT",
      key,
      query: { partNumber: String(partNumber), uploadId },
      headers: {
        ...headers,
        ...copySourceKeyHeaders(old),
        "x-amz-copy-source": source,
        "x-amz-copy-source-range": `bytes=${first}-${first + PART - 1}`,
      },
      timeLimit: 60_000,
    };
    const copied = await again(() => bucket.run(copy, "CopyPartResult"));
    hash.update(piece.subarray(first, first + PART));
    parts.push({ partNumber, etag: textOf(copied.element, "ETag") ?? "" });
  }
  await new MultipartUpload(bucket, key, old).complete(uploadId, parts, {});
  await again(() => bucket.run({ name: "DeleteObject", method: "DELETE", key: "piece" }, undefined));
  return hash.digest("hex");
}

async function hashOfLarge(key: string, under: CustomerKey): Promise<string> {
  const { bucket, credentials } = day.bucket;
  const request = { method: "GET", bucket, key, query: {}, headers: customerKeyHeaders(under) };
  const response = await again(() => sendToStore(request, { credentials }));
  expect(response.status).toBe(200);
  const hash = createHash("sha256");
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) hash.update(piece);
  return hash.digest("hex");
}

/** Starts a process that rotates. @returns when it has ended, by itself or not; killed so long after it got on */
async function rotate(rotation: string, isBadDay: boolean, killed: number | undefined): Promise<void> {
  const file = fileURLToPath(new URL("rotation/rotator.ts", import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"] });
  rotator = child;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.stdin?.end(JSON.stringify(day.orders(rotation, isBadDay ? "the queue and the database" : "nothing")));
  if (killed === undefined) return ended;
  await new Promise((resolve) => child.stdout?.once("data", resolve).once("close", resolve));
  const isOn = () => child.exitCode === null && child.signalCode === null;
  if (killed > 0) await Promise.race([ended, sleep(killed)]);
  else while (isOn() && (await day.reportOn(rotation)).rotated === 0) await sleep(10);
  if (isOn()) child.kill("SIGKILL");
  return ended;
}

/** All of it, by one process after another: each is killed after a while. */
async function finish(id: string, isBadDay = false) {
  for (let kills = 0; ; kills++) {
    await rotate(id, isBadDay, isBadDay && kills < MAX_KILLS ? killAfter(kills) : undefined);
    const report = await day.reportOn(id);
    if (report.state !== "running") return { report, kills };
    if (!isBadDay) throw new Error("the process ended before the rotation");
  }
}

test(
  `${OBJECTS} objects and one of ${MEBIBYTES} MiB: none is lost, stale or unreadable at any moment`,
  { timeout: 900_000 + 300 * OBJECTS },
  async () => {
    const { truth, failing, ledger } = day;
    const took: string[] = [];
    let at = Date.now();
    const lap = (what: string) => {
      took.push(`${what} ${((Date.now() - at) / 1000).toFixed(1)} s`);
      at = Date.now();
    };
    await day.fill();
    const hash = await writeLarge("large");
    lap("filled");

    const all = OBJECTS + 1 + WRITTEN + failing;
    const found = { ...truth, k1: truth.k1 + 1 };
    const { report: inventory } = await finish(await day.begin(true));
    expect(inventory).toMatchObject({ state: "done", listed: all, rotated: 0, found, failed: failing });
    lap("dry run");

    const id = await day.begin();
    let kills = 0;
    const { reads, writes } = await day.meanwhile(async () => {
      ({ kills } = await finish(id, true));
    });
    lap("rotated");
    const report = await day.reportOn(id);
    expect(report.state, report.reason).toBe("done");
    expect(report.failed, JSON.stringify(report.errors)).toBe(failing);
    // What was rotated, and could not be told any more, is found rotated, and skipped, by whoever goes on.
    expect(report.rotated + report.skipped).toBeGreaterThanOrEqual(OBJECTS + 1);
    expect(report.rotated + report.skipped).toBeLessThanOrEqual(OBJECTS + 1 + WRITTEN);
    expect(report.found).toMatchObject({ plain: truth.plain, unknown: truth.unknown });
    expect(kills).toBeGreaterThan(0);
    await day.expectAllRotated();
    expect(await hashOfLarge("large", day.now)).toBe(hash);
    lap("verified");

    // What was written under the old key behind the rotation's back is the second's; of the rest it skips all.
    const { report: second } = await finish(await day.begin());
    expect(second).toMatchObject({ state: "done", failed: failing });
    expect(second.rotated).toBeLessThanOrEqual(WRITTEN);
    const last = await day.begin();
    const { report: third } = await finish(last);
    expect(third).toMatchObject({ state: "done", rotated: 0, failed: failing });
    expect(third.skipped + third.failed).toBe((await ledger.find(last))?.listed);
    await day.expectLastWrites();
    lap("again, twice");
    console.log(`${took.join(", ")}; ${kills} kills, ${reads} reads, ${writes} writes`);
  },
);
