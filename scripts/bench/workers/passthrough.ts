/** A bare passthrough: what a transfer through any Worker costs. */
export default {
  async fetch(request: Request): Promise<Response> {
    const { url, headers } = (await request.json()) as { url: string; headers: Record<string, string> };
    return fetch(url, { headers });
  },
};
