/**
 * Bucket policies: the document, read as strictly as AWS reads it. What AWS knows and this store cannot evaluate is
 * refused as not implemented, so that no statement is taken and then silently means nothing.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import * as v from "valibot";
import { S3Error } from "./errors.ts";

export const BUCKET_ACTIONS = [
  "s3:CreateBucket",
  "s3:DeleteBucket",
  "s3:DeleteBucketPolicy",
  "s3:GetBucketAcl",
  "s3:GetBucketCORS",
  "s3:GetBucketLocation",
  "s3:GetBucketObjectLockConfiguration",
  "s3:GetBucketPolicy",
  "s3:GetBucketVersioning",
  "s3:ListAllMyBuckets",
  "s3:ListBucket",
  "s3:ListBucketMultipartUploads",
  "s3:ListBucketVersions",
  "s3:PutBucketAcl",
  "s3:PutBucketCORS",
  "s3:PutBucketObjectLockConfiguration",
  "s3:PutBucketPolicy",
  "s3:PutBucketVersioning",
] as const;

export const OBJECT_ACTIONS = [
  "s3:AbortMultipartUpload",
  "s3:BypassGovernanceRetention",
  "s3:DeleteObject",
  "s3:DeleteObjectTagging",
  "s3:DeleteObjectVersion",
  "s3:DeleteObjectVersionTagging",
  "s3:GetObject",
  "s3:GetObjectAcl",
  "s3:GetObjectAttributes",
  "s3:GetObjectLegalHold",
  "s3:GetObjectRetention",
  "s3:GetObjectTagging",
  "s3:GetObjectVersion",
  "s3:GetObjectVersionAcl",
  "s3:GetObjectVersionAttributes",
  "s3:GetObjectVersionTagging",
  "s3:ListMultipartUploadParts",
  "s3:PutObject",
  "s3:PutObjectAcl",
  "s3:PutObjectLegalHold",
  "s3:PutObjectRetention",
  "s3:PutObjectTagging",
  "s3:PutObjectVersionAcl",
  "s3:PutObjectVersionTagging",
] as const;

const ACTIONS = [...BUCKET_ACTIONS, ...OBJECT_ACTIONS];

export type Action = (typeof BUCKET_ACTIONS)[number] | (typeof OBJECT_ACTIONS)[number];

/** Condition keys that are a header of the request, after their `s3:`. */
const HEADER_KEYS = [
  "x-amz-acl",
  "x-amz-content-sha256",
  "if-match",
  "if-none-match",
  "x-amz-copy-source",
  "x-amz-metadata-directive",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-customer-algorithm",
  // CoreWeave's guide uses it; AWS's list does not have it.
  "x-amz-server-side-encryption-customer-key-md5",
  "x-amz-storage-class",
];
const KEYS = new Set(["aws:securetransport", ...HEADER_KEYS.map((name) => `s3:${name}`)]);

const OPERATOR = /^(String(Not)?(Equals|EqualsIgnoreCase|Like)|Bool)(IfExists)?$|^Null$/;
const OPERATOR_OF_AWS = /^(For(All|Any)Values?:)?(String|Numeric|Date|Binary|IpAddress|NotIpAddress|Arn)\w*$/;

const list = v.pipe(
  v.union([v.string(), v.array(v.string())], "must be a string or an array of strings"),
  v.transform((value) => [value].flat()),
  v.nonEmpty("must not be empty"),
);

const principals = v.pipe(
  v.union(
    [
      v.literal("*"),
      v.strictObject({
        AWS: v.optional(list),
        CW: v.optional(list),
        CanonicalUser: v.optional(list),
        Federated: v.optional(list),
        Service: v.optional(list),
      }),
    ],
    "Invalid principal in policy",
  ),
  v.transform((value) => (value === "*" ? ["*"] : Object.values(value).flatMap((names) => names ?? []))),
  v.nonEmpty("Invalid principal in policy"),
  v.everyItem(
    (name) => /^(\*|\w+|arn:.+|[\w.-]+\.amazonaws\.com)$/.test(name),
    "Invalid principal in policy",
  ),
);

const actions = v.pipe(
  list,
  v.everyItem((action) => /^(\*|s3:[\w*?]+)$/i.test(action), "Policy has invalid action"),
);

const values = v.pipe(
  v.union([v.string(), v.boolean(), v.number(), v.array(v.union([v.string(), v.boolean(), v.number()]))]),
  v.transform((value) => [value].flat().map(String)),
);

/** By operator, then by key: the values. */
const conditions = v.record(v.string(), v.record(v.string(), values));

const statement = v.pipe(
  v.strictObject({
    Sid: v.optional(v.pipe(v.string(), v.regex(/^[\w .-]*$/, "Statement IDs (SID) must be alphanumeric"))),
    Effect: v.picklist(["Allow", "Deny"]),
    Principal: v.optional(principals),
    NotPrincipal: v.optional(principals),
    Action: v.optional(actions),
    NotAction: v.optional(actions),
    Resource: v.optional(list),
    NotResource: v.optional(list),
    Condition: v.optional(conditions, {}),
  }),
  v.check(
    ({ Principal, NotPrincipal }) => isOne(Principal, NotPrincipal),
    "Missing required field Principal",
  ),
  v.check(({ Action, NotAction }) => isOne(Action, NotAction), "Missing required field Action"),
  v.check(({ Resource, NotResource }) => isOne(Resource, NotResource), "Missing required field Resource"),
);

export type Statement = v.InferOutput<typeof statement>;

const policy = v.strictObject({
  Version: v.optional(v.picklist(["2008-10-17", "2012-10-17"])),
  Id: v.optional(v.string()),
  Statement: v.pipe(
    v.unknown(),
    v.transform((value) => [value].flat()),
    v.array(statement),
    v.nonEmpty("Could not parse the policy: Statement is empty!"),
  ),
});

/** A statement has an element or its negation. */
function isOne(element: unknown, negation: unknown): boolean {
  return (element === undefined) !== (negation === undefined);
}

/** @throws {S3Error} MalformedPolicy; NotImplemented for a condition that AWS may know and this store does not */
export function parsePolicy(text: string, bucket: string): Statement[] {
  const { Statement: statements } = readDocument(text);
  const sids = statements.map(({ Sid }) => Sid).filter((sid) => sid !== undefined && sid !== "");
  if (new Set(sids).size < sids.length)
    throw malformed("Statement IDs (SID) in a single policy must be unique.");
  for (const each of statements) {
    checkResources(each, bucket);
    checkConditions(each);
  }
  return statements;
}

/** A statement as it stands in a document, or undefined where this store could not evaluate it. */
export function readStatement(json: unknown): Statement | undefined {
  const { success, output } = v.safeParse(statement, json);
  if (!success) return undefined;
  try {
    checkConditions(output);
    return output;
  } catch {
    return undefined;
  }
}

function readDocument(text: string): v.InferOutput<typeof policy> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed("Policies must be valid JSON and the first byte must be '{'");
  }
  const { success, output, issues } = v.safeParse(policy, json);
  if (success) return output;
  throw malformed(issues.map((issue) => `${v.getDotPath(issue) ?? ""}: ${issue.message}`).join("; "));
}

function checkResources({ Action = [], Resource = [], NotResource = [] }: Statement, bucket: string): void {
  const arn = arnOf(bucket);
  const isOf = (pattern: string) =>
    matches(arn, pattern) || matches(`${arn}/`, `${pattern.split("/", 1)[0]}/`);
  if (![...Resource, ...NotResource].every(isOf)) throw malformed("Policy has invalid resource");
  const isReached = (action: Action) =>
    isObjectAction(action)
      ? Resource.some((pattern) => /[/*]/.test(pattern))
      : Resource.some((pattern) => matches(arn, pattern));
  for (const pattern of Resource.length === 0 ? [] : Action) {
    const known = ACTIONS.filter((action) => matchesAction(action, pattern));
    if (known.length > 0 && !known.some(isReached)) {
      throw malformed("Action does not apply to any resource(s) in statement");
    }
  }
}

function checkConditions({ Condition }: Statement): void {
  for (const [operator, keys] of Object.entries(Condition)) {
    if (!OPERATOR.test(operator)) {
      throw OPERATOR_OF_AWS.test(operator)
        ? new S3Error("NotImplemented", `The condition operator ${operator} is not implemented.`)
        : malformed(`Invalid Condition type : ${operator}`);
    }
    const unknown = Object.keys(keys).find((key) => !KEYS.has(key.toLowerCase()));
    if (unknown === undefined) continue;
    throw /^(aws|s3):/i.test(unknown)
      ? new S3Error("NotImplemented", `The condition key ${unknown} is not implemented.`)
      : malformed("Policy has an invalid condition key");
  }
}

export function arnOf(bucket: string, key?: string): string {
  return `arn:aws:s3:::${bucket}${key === undefined ? "" : `/${key}`}`;
}

export function isObjectAction(action: Action): boolean {
  return (OBJECT_ACTIONS as readonly string[]).includes(action);
}

/** Actions are the same in any case. */
export function matchesAction(action: Action, pattern: string): boolean {
  return matches(action.toLowerCase(), pattern.toLowerCase());
}

/** `*` stands for anything, `?` for one character. */
export function matches(text: string, pattern: string): boolean {
  const escaped = pattern.replace(/[\\^$.|+()[\]{}]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "su").test(text);
}

function malformed(message: string): S3Error {
  return new S3Error("MalformedPolicy", message);
}
