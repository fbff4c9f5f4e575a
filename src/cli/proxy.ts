/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as other programs take them. */
import http from "node:http";

const VARIABLES = ["https_proxy", "http_proxy"];

/**
 * Sends all requests of this process, fetch's too, through the proxies of the environment. Only NO_PROXY makes an
 * exception, also for this machine's own addresses.
 *
 * @throws when one of them is no address, or this Node can do so only from its start
 */
export function useProxies(): void {
  if (!isProxied() || process.env.NODE_USE_ENV_PROXY === "1") return;
  // Node has it since 24.14, and in 22 not at all, whatever its types say.
  if (!("setGlobalProxyFromEnv" in http)) {
    throw new Error(
      `HTTPS_PROXY or HTTP_PROXY is set: Node ${process.versions.node} keeps to it with NODE_USE_ENV_PROXY=1 beside it, from 22.21 on`,
    );
  }
  try {
    http.setGlobalProxyFromEnv();
  } catch {
    // The message of the error would hold the proxy's password.
    throw new Error("HTTPS_PROXY or HTTP_PROXY is not the URL of a proxy, as http://proxy.example.com:3128");
  }
}

/** For the message of a request that had no answer. */
export function proxyHint(): string {
  return isProxied()
    ? "; HTTPS_PROXY or HTTP_PROXY is set: is that proxy up, and does NO_PROXY name what it cannot reach?"
    : "";
}

function isProxied(): boolean {
  return VARIABLES.some((name) => process.env[name] || process.env[name.toUpperCase()]);
}
