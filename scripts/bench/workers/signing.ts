/** Signs as many URLs as it is told, and gives them out afterwards, so that each can be verified. */
import { type Order, type Signed, signMany } from "../signing.ts";

let last: readonly Signed[] = [];

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === "GET") return Response.json(last);
    last = await signMany((await request.json()) as Order);
    return new Response();
  },
};
