/** Somebody's own Worker, in which the API is mounted at two places. */
import { Hono } from "hono";
import { createApp } from "../../../src/index.ts";

const api = createApp();

export default new Hono()
  .get("/", (c) => c.text("an app of their own"))
  .route("/files", api)
  .route("/a/b", api)
  .route(
    "/vouched",
    createApp({
      authenticate: (request) => {
        const subject = request.headers.get("x-user") ?? undefined;
        if (subject === undefined) return undefined;
        const grant = { bucket: "media", prefix: `users/${subject}/`, allow: ["read" as const] };
        return { name: "app", subject, grants: [grant] };
      },
      audit: (events) => {
        for (const event of events) console.log(JSON.stringify({ ...event, event: "handed over" }));
      },
    }),
  )
  .notFound((c) => c.text("nothing of theirs", 404));
