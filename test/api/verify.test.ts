/** Is it really encrypted? */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { call, freshKey, type ProblemBody, put } from "../support/client.ts";
import { s3 } from "../support/edge.ts";

async function verify(
  body: object,
  token?: Parameters<typeof call>[2],
): Promise<{ status: number; answer: ProblemBody }> {
  const response = await call("/v1/verify", { method: "POST", body: JSON.stringify(body) }, token);
  return { status: response.status, answer: (await response.json()) as ProblemBody };
}

test("an object under a key is, and the key is named", async () => {
  const key = freshKey();
  await put("media-old", key, "secret");
  for (const keyId of [undefined, "k1"]) {
    const { status, answer } = await verify({ bucket: "media", key, keyId });
    expect(status).toBe(200);
    expect(answer).toEqual({
      encrypted: true,
      keyId: "k1",
      size: 6,
      etag: expect.stringMatching(/^".+"$/),
      lastModified: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  }
  expect((await verify({ bucket: "media", key, keyId: "k2" })).answer.code).toBe("key-unknown");
  expect((await verify({ bucket: "media-lost", key })).answer.code).toBe("key-unknown");
});

test("an object in the clear is not", async () => {
  const key = freshKey();
  await s3.send(new PutObjectCommand({ Bucket: "media", Key: key, Body: "plain" }));
  for (const bucket of ["media", "media-lost"]) {
    const { status, answer } = await verify({ bucket, key });
    expect(status).toBe(200);
    expect(answer).toMatchObject({ encrypted: false, size: 5 });
    expect(answer).not.toHaveProperty("keyId");
  }
});

test("what is not there, or not theirs, is said to be so", async () => {
  expect((await verify({ bucket: "media", key: freshKey() })).answer.code).toBe("not-found");
  expect((await verify({ bucket: "media", key: "a" }, "ADMIN_TOKEN")).status).toBe(403);
  expect((await verify({ bucket: "media" })).answer.errors?.[0]?.path).toBe("key");
});
