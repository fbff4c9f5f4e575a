/** The Worker with a queue that takes every event but those of downloads. */
import type { AuditEvent } from "../../../src/audit/event.ts";
import worker from "../../../src/index.ts";

const QUEUE = {
  send: async (events: AuditEvent[]) => {
    if (events.some(({ operation }) => operation === "GetObject")) throw new Error("Queue is overloaded");
  },
};
/** One for each that the runtime hands over: the service is configured once for an environment. */
const environments = new WeakMap<object, object>();

export default {
  fetch: (request: Request, env: object, context: never) => {
    const refusing = environments.get(env) ?? { ...env, QUEUE };
    environments.set(env, refusing);
    return worker.fetch(request, refusing as never, context);
  },
};
