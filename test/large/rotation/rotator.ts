/** A process that carries a rotation, and may be killed: its orders come by its input, since there are keys among them. */
import { readFileSync } from "node:fs";
import { carry, type Orders } from "../../support/rotator.ts";

const orders = JSON.parse(readFileSync(0, "utf8")) as Orders;
process.stdout.write("working\n");
// How long that may take is for the test to say, which ends this.
await carry(orders, Number.POSITIVE_INFINITY);
