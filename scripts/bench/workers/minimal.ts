/** The least that a presigning Worker can be with aws4fetch: no caller, no validation, no audit line. */
import { Hono } from "hono";
import { customerKey, decodeCustomerKey } from "../../../src/keys/customer-key.ts";
import { customerKeyHeaders } from "../../../src/keys/headers.ts";
import { peer } from "../peers/aws4fetch.ts";

interface Env {
  Bindings: { readonly SSEC_KEY: string };
}

let headers: Record<string, string> | undefined;

export default new Hono<Env>().post("/v1/presign", async (c) => {
  const { key } = await c.req.json<{ key: string }>();
  headers ??= customerKeyHeaders(customerKey("k1", decodeCustomerKey(c.env.SSEC_KEY)));
  return c.json({ url: await peer({ key, headers }), headers });
});
