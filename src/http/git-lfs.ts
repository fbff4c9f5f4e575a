/** How git-lfs is answered, also where it is refused: its JSON has a media type of its own. */
import type { AppContext } from "../front/context.ts";
import type { Problem, ProblemDetails } from "./problem.ts";

/** @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/README.md */
export const LFS_TYPE = "application/vnd.git-lfs+json";

/** An error as git-lfs shows it. */
export function lfsError(
  c: AppContext,
  { status, headers }: Problem,
  { detail, requestId }: ProblemDetails,
): Response {
  return c.body(JSON.stringify({ message: detail, request_id: requestId }), status, {
    "content-type": LFS_TYPE,
    ...headers,
    // Not in place of the other: browsers ask nobody for a password then, which they would send along ever after.
    ...(status === 401 && { "lfs-authenticate": 'Basic realm="ssec-edge"' }),
  });
}
