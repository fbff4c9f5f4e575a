/** The Worker: nothing but wiring. */
import { app } from "./app.ts";

export default { fetch: app.fetch };
