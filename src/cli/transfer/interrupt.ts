/** Ctrl-C in the middle of a transfer: what is cut off is not lost, and what stays open is named. */
import { EXIT, hideBar, printable } from "../terminal.ts";
import { abortForgotten, openNames } from "./open-uploads.ts";

/** How long the end of what cannot be resumed may take, milliseconds. */
const PATIENCE = 5000;

let isHeard = false;

/** @param isResumable whether the command takes --resume */
export function hearInterrupt(isResumable: boolean): void {
  if (isHeard) return;
  isHeard = true;
  process.once("SIGINT", () => {
    // Whoever cannot wait for the rest is not made to.
    process.once("SIGINT", end);
    hideBar();
    const onward = isResumable ? "the same command with --resume goes on" : "what is done stays done";
    console.error(`ssec: cut off; ${onward}`);
    for (const name of openNames())
      console.error(
        `ssec: ${printable(name)}: its parts so far stay in the store for that; put anew, it has them removed`,
      );
    setTimeout(end, PATIENCE).unref();
    void abortForgotten().then((names) => {
      for (const name of names)
        console.error(`ssec: ${printable(name)}: an upload in parts stays open in the store`);
      end();
    });
  });
}

function end(): never {
  process.exit(EXIT.interrupted);
}
