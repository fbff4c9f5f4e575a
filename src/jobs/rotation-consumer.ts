/**
 * The queue's end: each message is a piece of work. One that fails comes again a few times, and then as a dead letter: it
 * is named, and what it was about is sent anew, as the ledger knows it.
 */
import type { MessageBatch } from "../bindings.ts";
import { describeUnforeseen, logError } from "../log.ts";
import { rotationsOf } from "../rotation-service.ts";
import type { Service } from "../service.ts";

/** The longest that a message waits for a database that is down, seconds. */
const MAX_DELAY = 60;

/** How the name of the queue of dead letters ends: wrangler.toml. */
const DEAD = "-dead";

/** Whether these are messages of rotations: audit events come in lists. */
export function areOfRotations({ messages: [first] }: MessageBatch): boolean {
  const { body } = first ?? {};
  return typeof body === "object" && body !== null && !Array.isArray(body) && "rotation" in body;
}

/** @param serviceOf throws where the configuration is wrong: the messages wait until it is right */
export async function consumeRotations(batch: MessageBatch, serviceOf: () => Service): Promise<void> {
  try {
    const { engine } = rotationsOf(serviceOf());
    const isDead = batch.queue.endsWith(DEAD);
    for (const { body } of batch.messages) await (isDead ? engine.revive(body) : engine.handle(body));
    batch.ackAll();
  } catch (error) {
    const { message, stack } = describeUnforeseen(error);
    logError({ code: "internal", message: `a message of a rotation comes again: ${message}`, stack });
    const attempts = Math.max(...batch.messages.map((each) => each.attempts));
    batch.retryAll({ delaySeconds: Math.min(2 ** attempts, MAX_DELAY) });
  }
}
