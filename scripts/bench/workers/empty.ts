/** A route that does nothing: what HTTP itself costs. */
import { Hono } from "hono";

export default new Hono().post("/v1/presign", (c) => c.json({}));
