/**
 * What a bucket policy says of a request. There is one caller, the owner, to whom everything is allowed that no
 * statement denies; the policy itself stays theirs, so that nobody locks himself out.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import type { Store } from "./call.ts";
import { S3Error } from "./errors.ts";
import {
  type Action,
  arnOf,
  isObjectAction,
  matches,
  matchesAction,
  parsePolicy,
  type Statement,
} from "./policy.ts";
import type { Named } from "./ssec.ts";

export interface PolicyRequest {
  readonly action: Action;
  readonly bucket: string;
  readonly key: string;
  /** Its headers, or a form's fields: what condition keys are filled from. */
  readonly named: Named;
  readonly isSecure: boolean;
}

const NEVER_DENIED: readonly Action[] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/** @throws {S3Error} AccessDenied, when a statement of the bucket's policy denies the request */
export function authorize({ database }: Store, asked: Omit<PolicyRequest, "isSecure">): void {
  const request = { ...asked, isSecure: false };
  const { action, bucket } = request;
  const text = database.setting(bucket, "policy");
  if (text === undefined || NEVER_DENIED.includes(action)) return;
  const denies = parsePolicy(text, bucket).some(
    (statement) => statement.Effect === "Deny" && applies(statement, request),
  );
  if (!denies) return;
  throw new S3Error(
    "AccessDenied",
    `The owner is not authorized to perform: ${action} on resource: "${resourceOf(request)}" with an explicit deny in a resource-based policy`,
  );
}

/** Whether a statement speaks of this request of the owner's. */
export function applies(statement: Statement, request: PolicyRequest): boolean {
  const { Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition } = statement;
  const resource = resourceOf(request);
  const isAction = (pattern: string) => matchesAction(request.action, pattern);
  const isResource = (pattern: string) => matches(resource, pattern);
  return (
    either(Principal, NotPrincipal, (name) => name === "*") &&
    either(Action, NotAction, isAction) &&
    either(Resource, NotResource, isResource) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, contextValue(key, request), values)),
    )
  );
}

/** The element matches, or its negation does not. */
function either(
  element: readonly string[] | undefined,
  negation: readonly string[] = [],
  test: (pattern: string) => boolean,
): boolean {
  return element === undefined ? !negation.some(test) : element.some(test);
}

function resourceOf({ action, bucket, key }: PolicyRequest): string {
  return arnOf(bucket, isObjectAction(action) ? key : undefined);
}

function contextValue(key: string, { named, isSecure }: PolicyRequest): string | undefined {
  const name = key.toLowerCase();
  if (name === "aws:securetransport") return String(isSecure);
  const value = named[name.replace("s3:", "")];
  return value === undefined ? undefined : String(value);
}

/** A key that the request does not have makes a condition false, or true where it is negated or …IfExists. */
function holds(operator: string, given: string | undefined, values: readonly string[]): boolean {
  if (operator === "Null")
    return values.some((value) => (value.toLowerCase() === "true") === (given === undefined));
  const [, negated, comparison] = /^String(Not)?(\w+?)(?:IfExists)?$/.exec(operator) ?? [
    "",
    undefined,
    "Bool",
  ];
  if (given === undefined) return negated !== undefined || operator.endsWith("IfExists");
  return values.some((value) => compares(comparison, given, value)) !== (negated !== undefined);
}

function compares(comparison: string | undefined, given: string, value: string): boolean {
  switch (comparison) {
    case "Like":
      return matches(given, value);
    case "Equals":
      return given === value;
    default: // Bool, EqualsIgnoreCase
      return given.toLowerCase() === value.toLowerCase();
  }
}
