/** What routes for administrators share: what the caller administers, and a database that may not answer. */
import { type Scope, scopeOf } from "../audit/scope.ts";
import type { AppContext } from "../front/context.ts";
import { Refused } from "../refused.ts";

/** @throws {Refused} forbidden when the caller administers nothing */
export function scopeFor({ var: { caller, service } }: AppContext): Scope {
  return scopeOf(caller, service.config);
}

/** The buckets of which a part at least is administered. */
export function bucketsIn({ ranges }: Scope): string[] {
  return [...new Set(ranges.map(({ bucket }) => bucket))];
}

/** Whether there is such a bucket is nobody else's business. */
export function notAdministered(): Refused {
  return new Refused("forbidden", "The caller does not administer this bucket, or there is no such bucket.");
}

/** @throws {Refused} unavailable when the database does not answer; what `question` refuses */
export async function asked<T>(c: AppContext, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof Refused) throw error;
    const message = `DB: ${error instanceof Error ? error.message : error}`;
    c.var.trail.tell({ code: "unavailable", message });
    throw new Refused("unavailable", "The database does not answer at the moment: try again soon.", {
      retryAfter: 5,
    });
  }
}
