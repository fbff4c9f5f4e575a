/** What signers that are not ours sign is verified: as the quick suite has it, with many more requests. */
import { test } from "vitest";
import { holds } from "../gateway/random.ts";

test(
  "20,000 random requests, signed by AWS's own signer and a stranger's",
  { timeout: 300_000 },
  async () => {
    await holds(20_000);
  },
);
