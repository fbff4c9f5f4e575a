/** Errors on their way out: problem details for the caller, the reason for the operator's log. */
import type { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Trail } from "../audit/trail.ts";
import type { AppContext, AppEnv } from "../front/context.ts";
import { isForGitLfs, methodsAt } from "../front/paths.ts";
import { describeUnforeseen, type ErrorEntry, logError } from "../log.ts";
import { Refused } from "../refused.ts";
import { Problem, type ProblemDetails } from "./problem.ts";

/** What the caller is told of an error; whatever the operator should know is logged on the way. */
export function report(
  error: unknown,
  requestId: string,
  trail?: Trail,
): { problem: Problem; details: ProblemDetails } {
  const tell = (entry: ErrorEntry) => (trail ? trail.tell(entry) : logError({ ...entry, requestId }));
  const problem = error instanceof Refused ? Problem.of(error) : unforeseen(error, tell);
  if (problem.operator !== undefined) tell({ code: problem.code, message: problem.operator });
  return { problem, details: problem.details(requestId) };
}

export function onError(error: unknown, c: AppContext): Response | Promise<Response> {
  if (error instanceof HTTPException) return error.getResponse();
  const trail: Trail | undefined = c.get("trail");
  const { problem, details } = report(error, c.get("requestId"), trail);
  trail?.refuse(error);
  if (isForGitLfs(c.req.path)) return import("./git-lfs.ts").then((lfs) => lfs.lfsError(c, problem, details));
  return c.body(JSON.stringify(details), problem.status, {
    "content-type": "application/problem+json",
    ...problem.headers,
  });
}

/**
 * For an address that there is not, or that does not take the method: which it takes, the routes tell. Answered, not thrown:
 * what Hono finds nowhere is thrown past the middleware that waits for an answer.
 */
export function nothingHere(app: Hono<AppEnv>, c: AppContext): Response | Promise<Response> {
  const allow = methodsAt(app, c.req.path).join(", ");
  const problem =
    allow === ""
      ? new Refused("not-found", "There is no such address.")
      : new Problem("method-not-allowed", `Use ${allow} here.`, { headers: { allow } });
  return onError(problem, c);
}

function unforeseen(error: unknown, tell: (entry: ErrorEntry) => void): Problem {
  tell({ code: "internal", ...describeUnforeseen(error) });
  return new Problem(
    "internal",
    "Something went wrong in the service; its log knows this request by its id.",
  );
}
