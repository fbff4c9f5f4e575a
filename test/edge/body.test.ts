/** Bodies on their way through: in memory no longer than it moves, and never waited for without end. */
import { describe, expect, test } from "vitest";
import { Pieces, pump, relay } from "../../src/edge/body.ts";
import { Digests } from "../../src/edge/digests.ts";
import { Memory } from "../../src/edge/memory.ts";
import { LIMITS } from "../../src/limits.ts";
import { Refused } from "../../src/refused.ts";

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const PART = 8 * MiB;
const none = new Digests(new Headers());

/** A body that its test writes. */
function client() {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  return {
    body: readable,
    send: (size: number) => writer.write(new Uint8Array(size).fill(size % 251)),
    writer,
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "nothing was thrown";
  } catch (error) {
    return error instanceof Refused ? error.reason : String(error);
  }
}

test("a client that has sent ten bytes holds hardly more", async () => {
  const memory = new Memory();
  const { body, send, writer } = client();
  const next = new Pieces(body, PART, none, { memory, limits: LIMITS }).next();
  await send(10);
  expect(memory.held).toBeLessThanOrEqual(64 * KiB);
  await writer.close();
  const piece = await next;
  expect([...piece.chunks()].map((chunk) => chunk.length)).toEqual([10]);
  piece.release();
  expect(memory.held).toBe(0);
});

test("memory is taken as bytes come, never more than twice of them", async () => {
  const memory = new Memory();
  const { body, send, writer } = client();
  const pieces = new Pieces(body, PART, none, { memory, limits: LIMITS });
  const next = pieces.next();
  for (let sent = 100 * KiB; sent <= 7 * MiB; sent += 100 * KiB) {
    await send(100 * KiB);
    expect(memory.held).toBeLessThanOrEqual(2 * sent + 64 * KiB);
  }
  await writer.close();
  const piece = await next;
  expect(piece.size).toBe(70 * 100 * KiB + (7 * MiB - 70 * 100 * KiB >= 100 * KiB ? 100 * KiB : 0));
  piece.release();
  expect(memory.held).toBe(0);
});

test("pieces are cut at their size, whatever comes, and come back as they were", async () => {
  const memory = new Memory();
  const { body, writer } = client();
  const all = crypto.getRandomValues(new Uint8Array(60_000));
  const whole = new Uint8Array(5 * 60_000);
  for (let i = 0; i < 5; i++) whole.set(all, i * 60_000);
  const sent = (async () => {
    for (let at = 0; at < whole.length; at += 7001) await writer.write(whole.slice(at, at + 7001));
    await writer.close();
  })();
  const pieces = new Pieces(body, 130_000, none, { memory, limits: LIMITS });
  const read: ArrayBuffer[] = [];
  const sizes: number[] = [];
  while (!pieces.isOver) {
    const piece = await pieces.next();
    sizes.push(piece.size);
    if (piece.size > 0) {
      // Twice, as a part that has to be sent again is.
      await new Response(piece.stream()).arrayBuffer();
      read.push(await new Response(piece.stream()).arrayBuffer());
    }
    piece.release();
  }
  await sent;
  expect(sizes).toEqual([130_000, 130_000, 40_000]);
  expect(new Uint8Array(await new Blob(read).arrayBuffer())).toEqual(whole);
  expect(memory.held).toBe(0);
});

test("an upload for which there is no memory is told to come again, and those under way go on", async () => {
  const memory = new Memory({ limit: 2 * MiB, reserve: MiB });
  const first = client();
  const pieces = new Pieces(first.body, MiB + 512 * KiB, none, { memory, limits: LIMITS });
  const going = pieces.next();
  await first.send(MiB);
  const second = client();
  void second.send(10).catch(() => {});
  const refused = new Pieces(second.body, MiB, none, { memory, limits: LIMITS }).next();
  let thrown: unknown;
  try {
    await refused;
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ reason: "unavailable" });
  expect((thrown as Refused).retryAfter).toBeGreaterThan(0);
  await first.send(512 * KiB);
  const piece = await going;
  expect(piece.size).toBe(MiB + 512 * KiB);

  // The next piece waits for the memory of the one before.
  let free = () => {};
  const freed = new Promise<void>((resolve) => {
    free = () => {
      piece.release();
      resolve();
    };
  });
  const next = pieces.next(freed);
  const rest = first.send(MiB).then(() => first.writer.close());
  free();
  expect((await next).size).toBe(MiB);
  await rest;
});

test("a client that breaks off leaves nothing held", async () => {
  const memory = new Memory();
  const { body, send, writer } = client();
  const next = new Pieces(body, PART, none, { memory, limits: LIMITS }).next();
  await send(10);
  await writer.abort(new Error("gone"));
  expect(await codeOf(next)).toMatch(/gone|nothing was thrown/);
  expect(memory.held).toBe(0);
});

test("a client that falls silent is not waited for without end", async () => {
  const memory = new Memory();
  const parts = client();
  const next = new Pieces(parts.body, PART, none, {
    memory,
    limits: { ...LIMITS, clientSilence: 50 },
  }).next();
  await parts.send(10);
  expect(await codeOf(next)).toBe("invalid-request");
  expect(memory.held).toBe(0);

  const whole = client();
  const { readable, writable } = new IdentityTransformStream();
  const pumping = pump(whole.body, writable, {
    length: 100,
    digests: none,
    stallLimit: 20_000,
    onStall: () => {},
    signal: new AbortController().signal,
    memory,
    limits: { ...LIMITS, clientSilence: 50 },
  });
  const taken = readable.getReader().read();
  await whole.send(10);
  await taken;
  expect(await codeOf(pumping)).toBe("invalid-request");
  expect(memory.held).toBe(0);
});

test("what would make a body whole is not passed on when its digest is wrong", async () => {
  const { body, send } = client();
  const { readable, writable } = new IdentityTransformStream();
  const digests = new Digests(new Headers({ "x-amz-checksum-crc32": "AAAAAA==" }));
  const signal = new AbortController().signal;
  const pumping = pump(body, writable, {
    length: 30,
    digests,
    stallLimit: 20_000,
    onStall: () => {},
    signal,
    limits: LIMITS,
  });
  const reader = readable.getReader();
  let passed = 0;
  const reading = (async () => {
    for (let i = 0; i < 2; i++) passed += (await reader.read()).value?.length ?? 0;
  })();
  await send(10);
  await send(10);
  await reading;
  void send(10).catch(() => {});
  expect(await codeOf(pumping)).toBe("invalid-request");
  expect(passed).toBe(20);
});

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A store that sends a little now and then, after so much at once; and what has come of it. */
async function trickled(
  start: number,
  { bytes, every, times }: { bytes: number; every: number; times: number },
) {
  const { body, send, writer } = client();
  const { readable, writable } = new IdentityTransformStream();
  const relayed = relay(body, writable, { silenceLimit: 300 });
  const sent = (async () => {
    for (let at = 0; at < start; at += 64 * KiB) await send(Math.min(64 * KiB, start - at));
    for (let i = 0; i < times; i++) {
      await wait(every);
      await send(bytes);
    }
    await writer.close();
  })().catch((error: unknown) => String(error));
  let came = 0;
  const end = await (async () => {
    for await (const chunk of readable) came += chunk.length;
    return "whole";
  })().catch((error: unknown) => String(error));
  await relayed;
  return { end, came, sent };
}

describe("a store that is slow", () => {
  test("from the start is waited for, a byte at a time", async () => {
    const { end, came } = await trickled(1, { bytes: 1, every: 80, times: 6 });
    expect([end, came]).toEqual(["whole", 7]);
  });

  test("after it was fast is waited for as well, by what comes within the limit", async () => {
    const start = 3 * MiB + 7;
    // 13 bytes a millisecond are 3,900 in the limit: nearly twice as many come.
    const { end, came } = await trickled(start, { bytes: 500, every: 20, times: 25 });
    expect([end, came]).toEqual(["whole", start + 25 * 500]);
    // Once a read has taken its time, no matter how little comes.
    const short = await trickled(start, { bytes: 4000, every: 100, times: 5 });
    expect([short.end, short.came]).toEqual(["whole", start + 5 * 4000]);
  });

  test("after it was fast, and as good as silent, is given up within the limit", async () => {
    const began = Date.now();
    const { end, came } = await trickled(3 * MiB, { bytes: 1, every: 50, times: 30 });
    expect(end).toContain("nothing more");
    expect(came).toBeGreaterThan(2 * MiB);
    expect(Date.now() - began).toBeLessThan(1200);
  });
});

test("a body that breaks off is never whole, however fast it came", async () => {
  const { body, send, writer } = client();
  const { readable, writable } = new IdentityTransformStream();
  const relayed = relay(body, writable, { silenceLimit: 1000 });
  const reading = new Response(readable).arrayBuffer();
  for (let i = 0; i < 40; i++) await send(64 * KiB);
  await writer.abort(new Error("cut"));
  await expect(reading).rejects.toThrow("cut");
  await relayed;
});

test("a client that goes away ends the store's side, also while the store sends nothing", async () => {
  const { body, send, writer } = client();
  const { readable, writable } = new IdentityTransformStream();
  const relayed = relay(body, writable, { silenceLimit: 60_000 });
  void send(10).catch(() => {});
  const reader = readable.getReader();
  await wait(50);
  await reader.cancel(new Error("gone"));
  await relayed;
  await expect(writer.write(new Uint8Array(1))).rejects.toThrow();
});

test("a client that is slow gets what came before the store fell silent, and then hears of it", async () => {
  const { body, send } = client();
  const { readable, writable } = new IdentityTransformStream();
  void relay(body, writable, { silenceLimit: 50 });
  void send(10).catch(() => {});
  await wait(200);
  const reader = readable.getReader();
  expect((await reader.read()).value?.length).toBe(10);
  await expect(reader.read()).rejects.toThrow(/nothing more/);
});

test("a download whose store falls silent breaks off; one whose client is slow does not", async () => {
  const ready = client();
  const slow = new IdentityTransformStream();
  const relayed = relay(ready.body, slow.writable, { silenceLimit: 50 });
  const sent = ready.send(10).then(() => ready.writer.close());

  const stalled = client();
  const out = new IdentityTransformStream();
  void relay(stalled.body, out.writable, { silenceLimit: 50 });
  const reader = out.readable.getReader();
  void stalled.send(10).catch(() => {});
  expect((await reader.read()).value?.length).toBe(10);
  await expect(reader.read()).rejects.toThrow(/nothing more/);

  // By now the other has taken nothing for as long.
  expect((await new Response(slow.readable).arrayBuffer()).byteLength).toBe(10);
  await sent;
  await relayed;
});
