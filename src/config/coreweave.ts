/** Whether an endpoint is CoreWeave's: its public one, the one within its network, or a host below either. */
export function isCoreWeave(endpoint: string): boolean {
  return /(^|\.)(cwobject|cwlota)\.com\.?$/.test(new URL(endpoint).hostname);
}
