/** `npm run store`: the development store alone, for anyone's SSE-C tests. */
import { storeCommand } from "./command.ts";

try {
  await storeCommand("npm run store --").parseAsync();
} catch (error) {
  console.error(`store: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
