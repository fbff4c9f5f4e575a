import { expect, test } from "vitest";
import type { Bucket } from "../../../src/config/load.ts";
import { customerKey, decodeCustomerKey } from "../../../src/keys/customer-key.ts";
import { customerKeyHeaders } from "../../../src/keys/headers.ts";
import { presign } from "../../../src/s3/sign/presign.ts";

const bucketAt = (endpoint: string, region: string, storeBucket: string): Bucket => ({
  name: storeBucket,
  storeBucket,
  store: { name: "s", endpoint, region, addressing: "virtual", accessKeyId: "", secretAccessKey: "" },
  keys: [],
});

test("an SSE-C GET has the signature that was verified twice elsewhere", async () => {
  const key = customerKey("k1", decodeCustomerKey("pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs="));
  const { url, headers } = presign(
    {
      method: "GET",
      bucket: bucketAt("https://cwobject.com", "US-EAST-04A", "bkt"),
      key: "a/b c.txt",
      query: { "x-id": "GetObject" },
      headers: customerKeyHeaders(key),
    },
    {
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
      signingDate: new Date("2026-01-01T00:00:00Z"),
      expiresIn: 60,
    },
  );
  expect(url).toMatch(/^https:\/\/bkt\.cwobject\.com\/a\/b%20c\.txt\?/);
  expect(new URL(url).searchParams.get("X-Amz-Signature")).toBe(
    "919eea0ff85e28b76c4a5fe0dbc606bf9991aadf74fedb1346b17411eee48099",
  );
  expect(headers).toEqual(customerKeyHeaders(key));
});
