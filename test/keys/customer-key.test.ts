import { describe, expect, test } from "vitest";
import { CustomerKeyError, customerKey, decodeCustomerKey } from "../../src/keys/customer-key.ts";
import { deriveObjectKey } from "../../src/keys/derive.ts";
import { copySourceKeyHeaders, customerKeyHeaders } from "../../src/keys/headers.ts";
import { keyState, readers, writer } from "../../src/keys/ring.ts";

const VECTORS = [
  ["pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=", "DWygnHRtgiJ77HCm+1rvHw=="],
  ["6b+WOZ1T3cqZMxgThRcXAQBrS5mXKdDUphvpxptl9/4=", "arxBvwY2V4SiOne6yppVPQ=="],
] as const;

test.for(VECTORS)("%s has the MD5 %s of its raw bytes", ([base64, md5]) => {
  const key = customerKey("k1", decodeCustomerKey(base64));
  expect(key).toEqual({ id: "k1", base64, md5 });
  expect(Object.values(customerKeyHeaders(key))).toEqual(["AES256", base64, md5]);
  expect(Object.keys(copySourceKeyHeaders(key)).every((name) => name.startsWith("x-amz-copy-source-"))).toBe(
    true,
  );
});

describe("what is not exactly a key is refused", () => {
  const [[good]] = VECTORS;
  test.for<[string, RegExp]>([
    ["", /is empty/],
    [`${good}\n`, /ends in a newline/],
    [` ${good}`, /white space/],
    [good.replaceAll("/", "_"), /is base64url/],
    ["a4".repeat(32), /is hexadecimal/],
    [good.slice(0, -1), /lacks its padding/],
    [good.replace("w", "\u00e9"), /is not base64/],
    [new Uint8Array(16).toBase64(), /is 16 bytes long/],
    [new Uint8Array(31).toBase64(), /is 31 bytes long/],
    [new Uint8Array(33).toBase64(), /is 33 bytes long/],
    [`${"A".repeat(42)}B=`, /is not canonical/],
  ])("%j", ([secret, reason]) => {
    expect(() => decodeCustomerKey(secret)).toThrow(reason);
    expect(() => decodeCustomerKey(secret)).toThrow(CustomerKeyError);
  });
});

test("a derived key is HKDF-SHA256 as RFC 5869 has it, made here out of two HMACs", async () => {
  const root = crypto.getRandomValues(new Uint8Array(32));
  const hmac = async (key: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>) => {
    const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
  };
  const prk = await hmac(new Uint8Array(32), root);
  const info = new TextEncoder().encode("ssec-edge/v1\nacme-media\nusers/42/ü.jpg\x01");
  expect(deriveObjectKey(root, "acme-media", "users/42/ü.jpg")).toEqual(await hmac(prk, info));
});

test("keys write between their dates, in the order given, and read in any state", () => {
  const now = Date.parse("2026-11-23");
  const rule = (id: string, dates: { notBefore?: number; writeUntil?: number } = {}) => ({
    id,
    secret: id,
    derive: false,
    ...dates,
  });
  const pending = rule("pending", { notBefore: now + 1 });
  const ended = rule("ended", { writeUntil: now });
  const active = rule("active", { notBefore: now, writeUntil: now + 1 });
  expect([pending, ended, active].map((one) => keyState(one, now))).toEqual([
    "pending",
    "readable",
    "active",
  ]);
  expect(writer([pending, ended, active, rule("other")], now)?.id).toBe("active");
  expect(writer([pending, ended], now)).toBeUndefined();
  expect(readers([pending, ended, active], now).map(({ id }) => id)).toEqual(["ended", "active", "pending"]);
});
