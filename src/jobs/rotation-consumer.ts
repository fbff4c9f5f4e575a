/**
 * The queue's end: each message is a piece of work. One that fails comes again a few times; what is lost for good the
 * ledger knows, and sends anew. So there are no dead letters that anybody would have to read.
 */
import type { MessageBatch } from "../bindings.ts";
import { describeUnforeseen, logError } from "../log.ts";
import { rotationsOf } from "../rotation-service.ts";
import type { Service } from "../service.ts";

/** The longest that a message waits for a database that is down, seconds. */
const MAX_DELAY = 60;

/** Whether these are messages of rotations: audit events come in lists. */
export function areOfRotations({ messages: [first] }: MessageBatch): boolean {
  const { body } = first ?? {};
  return typeof body === "object" && body !== null && !Array.isArray(body) && "rotation" in body;
}

/** @param serviceOf throws where the configuration is wrong: the messages wait until it is right */
export async function consumeRotations(batch: MessageBatch, serviceOf: () => Service): Promise<void> {
  try {
    const { engine } = rotationsOf(serviceOf());
    for (const { body } of batch.messages) await engine.handle(body);
    batch.ackAll();
  } catch (error) {
    const { message, stack } = describeUnforeseen(error);
    logError({ code: "internal", message: `a message of a rotation comes again: ${message}`, stack });
    const attempts = Math.max(...batch.messages.map((each) => each.attempts));
    batch.retryAll({ delaySeconds: Math.min(2 ** attempts, MAX_DELAY) });
  }
}
