/** The Worker's consumer alone: takes batches by HTTP, and tells the test when it begins and when it has committed. */
import type { MessageBatch } from "../../../src/bindings.ts";
import worker from "../../../src/index.ts";
import type { Env } from "../../../src/service.ts";

export default {
  fetch: async (request: Request, env: Env) => {
    const messages = (await request.json()) as MessageBatch["messages"];
    await fetch(`${env.CONTROL_URL}/begin`);
    let isTaken = false;
    const batch = {
      queue: "audit",
      messages,
      ackAll: () => {
        isTaken = true;
      },
      retryAll: () => {},
    };
    await worker.queue(batch, env);
    await fetch(`${env.CONTROL_URL}/${isTaken ? "committed" : "refused"}`);
    return new Response(null, { status: isTaken ? 204 : 503 });
  },
};
