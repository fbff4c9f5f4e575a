import { expect, test } from "vitest";
import { Secrets } from "../../src/config/secrets.ts";
import { KeyRing } from "../../src/keys/ring.ts";

const base64 = (byte: number) => new Uint8Array(32).fill(byte).toBase64();
const object = { storeBucket: "b", key: "k" };

test("a Secrets Store value is read again after a minute, and the key with it", async () => {
  let now = 0;
  let value = base64(1);
  let reads = 0;
  const get = async () => {
    reads++;
    return value;
  };
  const ring = new KeyRing(new Secrets({ KEY: { get } }, () => now).read);
  const rule = { id: "k1", secret: "KEY", derive: false };
  expect((await ring.keyFor(rule, object)).base64).toBe(base64(1));
  value = base64(2);
  now = 59_000;
  expect((await ring.keyFor(rule, object)).base64).toBe(base64(1));
  expect(reads).toBe(1);
  now = 60_000;
  expect((await ring.keyFor(rule, object)).base64).toBe(base64(2));
});

test("a Secrets Store that throws is its own reason, and is asked again", async () => {
  let isUp = false;
  const get = async () => {
    if (!isUp) throw new Error("secret value abc");
    return base64(1);
  };
  const ring = new KeyRing(new Secrets({ KEY: { get } }).read);
  const rule = { id: "k1", secret: "KEY", derive: false };
  await expect(ring.keyFor(rule, object)).rejects.toThrow(
    /^secret KEY cannot be read from its Secrets Store/,
  );
  isUp = true;
  expect((await ring.keyFor(rule, object)).base64).toBe(base64(1));
});
