/**
 * Our statements in a bucket policy, and other people's. Ours are known by their Sids; what is not ours stays as it is.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-s3-c-encryption.html
 */
import { createHash } from "node:crypto";
import { isCoreWeave } from "../config/coreweave.ts";
import { applies, type PolicyRequest } from "../dev-store/evaluate.ts";
import { arnOf, readStatement } from "../dev-store/policy.ts";
import { ALGORITHM_HEADER, KEY_MD5_HEADER } from "../keys/headers.ts";
import { isSame } from "./same-document.ts";

type Json = Readonly<Record<string, unknown>>;

export interface Wanted {
  /** The bucket's name in the store. */
  readonly bucket: string;
  /** `""`: the whole bucket. */
  readonly prefix: string;
  /** Everybody, in the store's dialect: `{ AWS: "*" }`. */
  readonly everybody: Json;
  /** MD5s of the only keys that uploads may be under; none: any. */
  readonly keyMd5s: readonly string[];
}

const OURS = /^SsecEdge(Require|Algorithm|Keys)([0-9a-f]{8})?$/;

/** Everybody, as the policies of a store spell it: CoreWeave's have a principal of their own. */
export function everybodyOf(endpoint: string): Json {
  return { [isCoreWeave(endpoint) ? "CW" : "AWS"]: "*" };
}

/**
 * Denies, for s3:PutObject, which is what copies, forms and every call of a multipart upload are to a policy. That a
 * header is there, and what it says, are two statements: stores differ in what StringNotEquals makes of one that is not.
 */
export function ourStatements({ bucket, prefix, everybody, keyMd5s }: Wanted): Json[] {
  const deny = (kind: string, Condition: Json) => ({
    Sid: `SsecEdge${kind}${suffixOf(prefix)}`,
    Effect: "Deny",
    Principal: everybody,
    Action: "s3:PutObject",
    Resource: arnOf(bucket, `${prefix}*`),
    Condition,
  });
  return [
    deny("Require", { Null: { [`s3:${ALGORITHM_HEADER}`]: "true" } }),
    deny("Algorithm", { StringNotEquals: { [`s3:${ALGORITHM_HEADER}`]: "AES256" } }),
    ...(keyMd5s.length > 0
      ? [deny("Keys", { StringNotEquals: { [`s3:${KEY_MD5_HEADER}`]: oneOrMany(keyMd5s) } })]
      : []),
  ];
}

/** A policy with our statements for a prefix in place of those that were there for it. */
export function merge(policy: string | undefined, wanted: Wanted): string {
  const { document, statements } = read(policy);
  const ours = ourStatements(wanted);
  const kept = statements.filter((statement) => !isOurs(statement, wanted.prefix));
  const there = statements.filter((statement) => isOurs(statement, wanted.prefix));
  // The store's own spelling stays where it means what we want.
  const same = isSame(JSON.stringify(there), JSON.stringify(ours));
  return same && policy !== undefined
    ? policy
    : JSON.stringify({ ...document, Statement: [...kept, ...ours] });
}

/** A policy without our statements, for one prefix or all; undefined when nothing is left. */
export function without(policy: string | undefined, prefix: string | undefined): string | undefined {
  const { document, statements } = read(policy);
  const kept = statements.filter((statement) => !isOurs(statement, prefix));
  if (kept.length === statements.length) return policy;
  return kept.length === 0 ? undefined : JSON.stringify({ ...document, Statement: kept });
}

/**
 * What other people's statements do against ours.
 *
 * @param upload with a customer key, as the service makes it
 */
export function lint(policy: string | undefined, upload: PolicyRequest): string[] {
  const changes = (["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"] as const).map((action) => ({
    ...upload,
    action,
    named: {},
  }));
  return read(policy).statements.flatMap((json, i) => {
    if (isOurs(json, undefined)) return [];
    const name = typeof json.Sid === "string" ? `statement "${json.Sid}"` : `statement ${i + 1}`;
    const statement = readStatement(json);
    if (statement === undefined)
      return [`${name} has elements that are not judged here: only the proof tells`];
    if (statement.Effect === "Deny") {
      return applies(statement, upload)
        ? [`${name} denies uploads that bring a customer key: nothing could be written`]
        : [];
    }
    return changes.some((change) => applies(statement, change))
      ? [`${name} lets everybody change this policy, and so take ours out`]
      : [];
  });
}

interface Read {
  readonly document: Json;
  readonly statements: readonly Json[];
}

function read(policy: string | undefined): Read {
  if (policy === undefined) return { document: { Version: "2012-10-17" }, statements: [] };
  const document = JSON.parse(policy) as Json;
  return { document, statements: [document.Statement as Json | Json[]].flat() };
}

function isOurs({ Sid }: Json, prefix: string | undefined): boolean {
  const match = OURS.exec(String(Sid));
  return match !== null && (prefix === undefined || (match[2] ?? "") === suffixOf(prefix));
}

/** A Sid is alphanumeric, and a prefix need not be. */
function suffixOf(prefix: string): string {
  return prefix === "" ? "" : createHash("sha256").update(prefix).digest("hex").slice(0, 8);
}

/** AWS writes a list of one as that one. */
function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values;
}
