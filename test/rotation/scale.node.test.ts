/** What a rotation of a hundred million objects rests on: no message, and no table, grows with the bucket. */
import { expect, test } from "vitest";
import type { Ledger as Database } from "../../src/bindings.ts";
import { freshBucket, put, type RigOptions, rig, useStore } from "./rig.ts";

useStore();

async function filled(count: number, { isPlain = false } = {}): Promise<string> {
  const bucket = await freshBucket();
  await Promise.all(
    Array.from({ length: count }, (_, i) => put(bucket, `object ${i}`, isPlain ? undefined : "k1")),
  );
  return bucket;
}

/** Statements that reach the database, one by one or in batches. */
function counting() {
  const count = { statements: 0 };
  const through: RigOptions["through"] = (database: Database): Database => ({
    prepare: (sql) => database.prepare(sql),
    batch: (statements) => {
      count.statements += statements.length;
      return database.batch(statements);
    },
  });
  return { count, through };
}

test("one message of the lister makes so many pages, and another goes on", async () => {
  const bucket = await filled(10);
  const { start, engine, messages, ledger } = rig({ bucket, limits: { pageSize: 2, listedPages: 2 } });
  const { id } = await start();
  const listed = [];
  for (let i = 0; i < 3; i++) {
    const at = messages.findIndex(({ message }) => message.kind === "list");
    const [list] = messages.splice(at, 1);
    await engine().handle(list?.message);
    const { pages, isListed } = (await ledger.find(id)) ?? {};
    listed.push({ pages, isListed });
  }
  expect(listed).toEqual([
    { pages: 2, isListed: 0 },
    { pages: 4, isListed: 0 },
    { pages: 5, isListed: 1 },
  ]);
});

test("what is done leaves the ledger, pages and large objects alike", { tags: ["thorough"] }, async () => {
  const bucket = await filled(12);
  const { start, drain, report, database } = rig({ bucket, limits: { pageSize: 4, maxCopy: 10 } });
  const { id } = await start();
  await drain(id);
  expect(await report(id)).toMatchObject({ state: "done", rotated: 12, failed: 0 });
  for (const table of ["rotation_pages", "rotation_objects"])
    expect(await database.prepare(`SELECT * FROM ${table}`).all(), table).toEqual({ results: [] });
});

test(
  "a page of many large objects takes no more statements than one of a few",
  { tags: ["thorough"] },
  async () => {
    const statements = [];
    for (const objects of [4, 16]) {
      const { count, through } = counting();
      const bucket = await filled(objects);
      const limits = { maxCopy: 10, checkpointObjects: 1000, checkpointEvery: 60_000 };
      const { start, engine, messages } = rig({ bucket, through, limits });
      await start();
      for (const kind of ["list", "page"]) {
        const found = messages.find(({ message }) => message.kind === kind);
        count.statements = 0;
        await engine().handle(found?.message);
      }
      expect(messages.filter(({ message }) => message.kind === "object")).toHaveLength(4);
      statements.push(count.statements);
    }
    expect(statements[1]).toBe(statements[0]);
  },
);

test("of objects that fail so many are named, and all are counted", async () => {
  const bucket = await filled(9, { isPlain: true });
  const limits = { maxConcurrency: 1, checkpointObjects: 1, checkpointEvery: 60_000 };
  const { start, drain, report } = rig({ bucket, limits, maxNamed: 5 });
  const { id } = await start();
  await drain(id);
  const { failed, found, errors } = await report(id);
  expect({ failed, plain: found.plain }).toEqual({ failed: 9, plain: 9 });
  expect(errors).toHaveLength(5);
});
