/** A bare passthrough in both directions: request and answer as they stream, to where a header says. */
export default {
  async fetch({ method, headers, body }: Request): Promise<Response> {
    const passed = new Headers(headers);
    passed.delete("host");
    passed.delete("x-target");
    return fetch(headers.get("x-target") ?? "", { method, headers: passed, body });
  },
};
