/** One run of `ssec`: in the caller's folder, through the caller's proxies. */
import { enterCallersFolder } from "./folder.ts";
import { main, tell } from "./main.ts";
import { watchOutput } from "./output.ts";
import { useProxies } from "./proxy.ts";

watchOutput();
try {
  enterCallersFolder();
  useProxies();
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = tell(error);
}
