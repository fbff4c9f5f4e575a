/** Signatures that clients make hold, and prove what they were made for and nothing else. */
import { test } from "vitest";
import { holds } from "./random.ts";

test("what AWS's own signer and a stranger's sign", async () => {
  await holds(500);
});
