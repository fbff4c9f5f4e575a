/** The CORS configuration of a bucket, as its store has it. */
import {
  type CORSRule,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  PutBucketCorsCommand,
} from "@aws-sdk/client-s3";
import type { Setting } from "./change.ts";
import type { StoreBucket } from "./s3.ts";
import { answerOf } from "./s3-errors.ts";

export function corsOf({ client, name: Bucket }: StoreBucket): Setting {
  return {
    name: "CORS configuration",
    read: async () => {
      const sent = client.send(new GetBucketCorsCommand({ Bucket }));
      const rules = (await answerOf("GetBucketCors", sent, "NoSuchCORSConfiguration"))?.CORSRules;
      return rules && documentOf(rules);
    },
    put: async (json) => {
      const CORSConfiguration = { CORSRules: rulesIn(json) };
      await answerOf("PutBucketCors", client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration })));
    },
    remove: async () => {
      await answerOf("DeleteBucketCors", client.send(new DeleteBucketCorsCommand({ Bucket })));
    },
  };
}

/** Fields in one order, whatever the store's is. */
export function documentOf(rules: readonly CORSRule[]): string {
  const CORSRules = rules.map(
    ({ ID, AllowedOrigins, AllowedMethods, AllowedHeaders, ExposeHeaders, MaxAgeSeconds }) => ({
      ID,
      AllowedOrigins,
      AllowedMethods,
      AllowedHeaders,
      ExposeHeaders,
      MaxAgeSeconds,
    }),
  );
  return JSON.stringify({ CORSRules });
}

export function rulesIn(json: string | undefined): CORSRule[] {
  return json === undefined ? [] : JSON.parse(json).CORSRules;
}
