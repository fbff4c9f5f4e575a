/** `ssec COMMAND`: the operator's tools, in the caller's folder and through the caller's proxies. */
import { enterCallersFolder } from "./ssec/folder.ts";
import { main, tell } from "./ssec/main.ts";
import { watchOutput } from "./ssec/output.ts";
import { useProxies } from "./ssec/proxy.ts";

watchOutput();
try {
  enterCallersFolder();
  useProxies();
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = tell(error);
}
