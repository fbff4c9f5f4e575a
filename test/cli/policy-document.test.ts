/** What other people's statements mean for ours. */
import { expect, test } from "vitest";
import { lint, merge, ourStatements, without } from "../../src/cli/policy-document.ts";

const bucket = "acme-media";
const SOMEBODY = { AWS: "arn:aws:iam::111122223333:root" };
const ALGORITHM = "s3:x-amz-server-side-encryption-customer-algorithm";
const UPLOAD = {
  action: "s3:PutObject",
  bucket,
  key: "a/proof",
  named: { "x-amz-server-side-encryption-customer-algorithm": "AES256" },
  isSecure: true,
} as const;
const WANTED = { bucket, prefix: "", everybody: { AWS: "*" }, keyMd5s: [] };

const policyOf = (statement: object) =>
  JSON.stringify({
    Statement: {
      Sid: "Theirs",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      ...statement,
    },
  });

const NO_UPLOADS = 'statement "Theirs" denies uploads that bring a customer key: nothing could be written';
const ANYBODY = 'statement "Theirs" lets everybody change this policy, and so take ours out';
const UNJUDGED = 'statement "Theirs" has elements that are not judged here: only the proof tells';

test.for([
  [{}, NO_UPLOADS],
  [{ Condition: { Null: { [ALGORITHM]: "false" } } }, NO_UPLOADS],
  [{ Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } } }, NO_UPLOADS],
  [{ Action: undefined, NotAction: "s3:GetObject" }, NO_UPLOADS],
  [{ Principal: undefined, NotPrincipal: SOMEBODY, Action: "s3:Put*" }, NO_UPLOADS],
  [{ Resource: undefined, NotResource: `arn:aws:s3:::${bucket}/b/*` }, NO_UPLOADS],
  [{ Condition: { Null: { [ALGORITHM]: "true" } } }, undefined],
  [{ Condition: { Bool: { "aws:SecureTransport": "false" } } }, undefined],
  [{ Resource: `arn:aws:s3:::${bucket}/b/*` }, undefined],
  [{ Principal: SOMEBODY }, undefined],
  [{ Action: "s3:GetObject" }, undefined],
  [{ Effect: "Allow" }, undefined],
  [{ Effect: "Allow", Action: "s3:*" }, ANYBODY],
  [{ Effect: "Allow", Action: ["s3:GetObject", "s3:DeleteBucketPolicy"] }, ANYBODY],
  [{ Effect: "Allow", Principal: undefined, NotPrincipal: SOMEBODY, Action: "s3:PutBucketPolicy" }, ANYBODY],
  [{ Effect: "Allow", Principal: SOMEBODY, Action: "s3:*" }, undefined],
  [{ Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }, UNJUDGED],
] as const)("lint: %j", ([statement, warning]) => {
  expect(lint(policyOf(statement), UPLOAD)).toEqual(warning === undefined ? [] : [warning]);
});

test("our own statements are not held against us, and nor is there being none", () => {
  expect(lint(JSON.stringify({ Statement: ourStatements(WANTED) }), UPLOAD)).toEqual([]);
  expect(lint(undefined, UPLOAD)).toEqual([]);
});

test("a policy that means what is wanted stays as its store spells it", () => {
  const spelled = JSON.stringify({
    Version: "2012-10-17",
    Statement: ourStatements(WANTED).map(({ Action, ...rest }) => ({ Action: [Action], ...rest })),
  });
  expect(merge(spelled, WANTED)).toBe(spelled);
  expect(merge(spelled, { ...WANTED, keyMd5s: ["MD5"] })).not.toBe(spelled);
});

test("what is not ours is not taken out", () => {
  const theirs = policyOf({ Sid: "SsecEdgeRequireToo" });
  expect(without(theirs, undefined)).toBe(theirs);
  expect(JSON.parse(without(merge(theirs, WANTED), undefined) ?? "").Statement).toEqual([
    JSON.parse(theirs).Statement,
  ]);
});

test("each prefix has statements of its own, which are replaced and taken out alone", () => {
  const sids = (policy: string | undefined) =>
    (JSON.parse(policy ?? "").Statement as { Sid: string }[]).map(({ Sid }) => Sid);
  const whole = ["SsecEdgeRequire", "SsecEdgeAlgorithm"];
  const inA = { ...WANTED, prefix: "a/" };
  const both = merge(merge(undefined, WANTED), { ...inA, keyMd5s: ["MD5"] });
  expect(sids(both)).toHaveLength(5);
  for (const sid of sids(both)) expect(sid).toMatch(/^[A-Za-z0-9]+$/);
  expect(sids(merge(both, inA))).toHaveLength(4);
  expect(sids(without(both, "a/"))).toEqual(whole);
  expect(sids(without(both, ""))).toHaveLength(3);
  expect(without(both, "b/")).toBe(both);
  expect(without(both, undefined)).toBeUndefined();
});
