/** The Worker, but for its consumer, which runs in a process of its own so that it can be killed. */
import type { MessageBatch } from "../../../src/bindings.ts";
import worker from "../../../src/index.ts";

export default {
  ...worker,
  queue: async (batch: MessageBatch, env: { CONSUMER_URL: string }) => {
    try {
      const response = await fetch(env.CONSUMER_URL, {
        method: "POST",
        body: JSON.stringify(batch.messages),
      });
      if (!response.ok) throw new Error(`the consumer answered ${response.status}`);
      batch.ackAll();
    } catch {
      // As the platform does when a consumer's invocation ends without an answer.
      batch.retryAll({ delaySeconds: 1 });
    }
  },
};
