/** The policy of a bucket, as its store has it. */
import {
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  PutBucketPolicyCommand,
} from "@aws-sdk/client-s3";
import type { Setting } from "./change.ts";
import type { StoreBucket } from "./s3.ts";
import { answerOf } from "./s3-errors.ts";

export function policyOf({ client, name: Bucket }: StoreBucket): Setting {
  return {
    name: "bucket policy",
    read: async () => {
      const sent = client.send(new GetBucketPolicyCommand({ Bucket }));
      return (await answerOf("GetBucketPolicy", sent, "NoSuchBucketPolicy"))?.Policy;
    },
    put: async (Policy) => {
      await answerOf("PutBucketPolicy", client.send(new PutBucketPolicyCommand({ Bucket, Policy })));
    },
    remove: async () => {
      await answerOf("DeleteBucketPolicy", client.send(new DeleteBucketPolicyCommand({ Bucket })));
    },
  };
}
