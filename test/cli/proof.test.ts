/** The uploads that prove a policy are tried, and leave nothing behind. */
import { randomBytes } from "node:crypto";
import {
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { throwAwayKey, tryUploads } from "../../src/cli/proof.ts";
import { customerKey } from "../../src/keys/customer-key.ts";
import { isCeph, store } from "../support/client.ts";
import { operator, s3 } from "../support/operator.ts";

const ALL_ACCEPTED = {
  plain: "accepted",
  plainMultipart: "accepted",
  encrypted: "accepted",
  encryptedMultipart: "accepted",
  strange: "accepted",
};

const tried = (name: string) =>
  tryUploads({ client: s3, name, credentials: store }, throwAwayKey("a/"), customerKey("k", randomBytes(32)));

test("without a policy every upload is accepted, and removed", async () => {
  const { name, objects } = await operator();
  expect(await tried(name)).toEqual(ALL_ACCEPTED);
  expect(await objects()).toEqual([]);
  expect((await s3.send(new ListMultipartUploadsCommand({ Bucket: name }))).Uploads).toBeUndefined();
});

test.runIf(isCeph)("where versions are kept, none is left, nor a delete marker", async () => {
  const { name } = await operator();
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration }));
  expect(await tried(name)).toEqual(ALL_ACCEPTED);
  const { Versions, DeleteMarkers } = await s3.send(new ListObjectVersionsCommand({ Bucket: name }));
  expect([Versions, DeleteMarkers]).toEqual([undefined, undefined]);
});
