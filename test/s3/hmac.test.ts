import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BLOCK, HmacKey } from "../../src/hmac.ts";

test("HMAC-SHA256 is the runtime's own, for keys and messages of any length", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3 * BLOCK }),
      fc.uint8Array({ maxLength: 5 * BLOCK }),
      (key, message) => {
        const expected = new Uint8Array(createHmac("sha256", key).update(message).digest());
        const whole = message.length - (message.length % BLOCK);
        expect(HmacKey.of(key).sign(message)).toEqual(expected);
        expect(HmacKey.of(key).after(message.subarray(0, whole)).sign(message.subarray(whole))).toEqual(
          expected,
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test("RFC 4231, test case 2", () => {
  const utf8 = new TextEncoder();
  const digest = HmacKey.of(utf8.encode("Jefe")).sign(utf8.encode("what do ya want for nothing?"));
  expect(Buffer.from(digest).toString("hex")).toBe(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});
