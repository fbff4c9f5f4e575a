/** The engine of rotations, as the Worker runs it: its ledger in D1, its messages in a queue. */
import { v7 as uuidv7 } from "uuid";
import { wellFormedJson } from "./audit/bounded.ts";
import type { AuditEvent } from "./audit/event.ts";
import { describeUnforeseen, logError } from "./log.ts";
import { Refused } from "./refused.ts";
import { Engine, type Teller } from "./rotation/engine.ts";
import { Ledger } from "./rotation/ledger.ts";
import { objectLine } from "./rotation/line.ts";
import type { Service } from "./service.ts";

export interface Rotations {
  readonly engine: Engine;
  readonly ledger: Ledger;
}

/** @throws {Refused} unavailable where a binding is missing */
export function rotationsOf(service: Service): Rotations {
  const { bindings, config, ring, secrets } = service;
  const { db, rotationQueue } = bindings;
  if (db === undefined || rotationQueue === undefined) {
    const missing = db === undefined ? "DB (D1)" : "ROTATION_QUEUE (Queues)";
    throw new Refused("unavailable", "Rotations are not set up here; the service's operator can see why.", {
      operator: `rotations need ${missing} bound: see wrangler.toml`,
    });
  }
  const ledger = new Ledger(db);
  const queue = {
    send: async (message: unknown, delay = 0) => {
      const options = delay > 0 ? { delaySeconds: Math.ceil(delay / 1000) } : {};
      await rotationQueue.send(message, { contentType: "json", ...options });
    },
  };
  const pipe = (length: number) => new FixedLengthStream(length);
  const engine = new Engine({ config, ring, secrets, ledger, queue, teller: tellerOf(service), pipe });
  return { engine, ledger };
}

/** One line an object in the log; one event a page in the trail: an event an object would fill the database. */
function tellerOf({ bindings: { queue } }: Service): Teller {
  return {
    object: (...of) => console.log(wellFormedJson(objectLine(...of))),
    event: async ({ id, bucket, toKey, caller }, { operation, counts = {}, code }) => {
      const { rotated = 0, bytes = 0 } = counts;
      const event: AuditEvent = {
        id: uuidv7(),
        time: isoNow(),
        requestId: id,
        caller,
        operation,
        bucket,
        keyId: toKey,
        outcome: code === undefined ? "allowed" : "failed",
        ...(code !== undefined && { code }),
        ...(bytes > 0 && { bytes }),
        ...(rotated > 1 && operation === "RotateObjects" && { count: rotated }),
      };
      console.log(wellFormedJson({ event: "audit", ...event }));
      try {
        await queue?.send([event], { contentType: "json" });
      } catch (error) {
        const { message } = describeUnforeseen(error);
        logError({ code: "audit-unavailable", message: `QUEUE did not take an audit event: ${message}` });
      }
    },
  };
}

function isoNow(): string {
  return new Date().toISOString();
}
