import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HmacKey } from "../../src/hash/hmac.ts";
import { md5 } from "../../src/hash/md5.ts";
import { BLOCK, bytesOf, Message } from "../../src/hash/message.ts";
import { absorb, sha256 } from "../../src/hash/sha256.ts";

test("SHA-256 is the runtime's own, for messages of any length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 * BLOCK }), (bytes) => {
      const expected = createHash("sha256").update(bytes).digest("hex");
      const whole = bytes.length - (bytes.length % BLOCK);
      const begun = absorb(Message.of(bytes.subarray(0, whole)));
      expect(hex(bytesOf(sha256(Message.of(bytes))))).toBe(expected);
      expect(hex(bytesOf(sha256(Message.of(bytes.subarray(whole)), begun)))).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test("what is no whole block is not taken for one", () => {
  expect(() => absorb(Message.of(new Uint8Array(BLOCK + 1)))).toThrow(RangeError);
});

test("FIPS 180-4's example", () => {
  expect(hex(bytesOf(sha256(new Message().add("abc"))))).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

test("a message is the UTF-8 of its pieces, whatever was in its memory before", () => {
  const message = new Message(1);
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 100 })), (pieces) => {
      message.restart();
      for (const piece of pieces) message.add(piece);
      expect(hex(bytesOf(sha256(message)))).toBe(createHash("sha256").update(pieces.join("")).digest("hex"));
      expect(hex(bytesOf(sha256(new Message().addHex(sha256(message)))))).toBe(
        createHash("sha256")
          .update(hex(bytesOf(sha256(message))))
          .digest("hex"),
      );
    }),
  );
});

test("HMAC-SHA256 is the runtime's own, for keys and messages of any length", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3 * BLOCK }),
      fc.uint8Array({ maxLength: 5 * BLOCK }),
      (keyBytes, message) => {
        const expected = createHmac("sha256", keyBytes).update(message).digest("hex");
        const whole = message.length - (message.length % BLOCK);
        const key = HmacKey.of(Message.of(keyBytes));
        const rest = key.after(Message.of(message.subarray(0, whole)));
        expect(hex(bytesOf(key.sign(Message.of(message))))).toBe(expected);
        expect(hex(bytesOf(rest.sign(Message.of(message.subarray(whole)))))).toBe(expected);
      },
    ),
    { numRuns: 2000 },
  );
});

test("RFC 4231, test case 2", () => {
  const digest = HmacKey.of(new Message().add("Jefe")).sign(
    new Message().add("what do ya want for nothing?"),
  );
  expect(hex(bytesOf(digest))).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

test("MD5 is the runtime's own, for messages of any length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5 * BLOCK }), (message) => {
      expect(hex(md5(message))).toBe(createHash("md5").update(message).digest("hex"));
    }),
    { numRuns: 2000 },
  );
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
