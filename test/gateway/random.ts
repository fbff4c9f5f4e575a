/** Random requests, signed at random: what is verified is held against signers that are not ours. */
import fc from "fast-check";
import { expect } from "vitest";
import { verify } from "../../src/gateway/verify.ts";
import {
  byAws4,
  HOST,
  NOW,
  requestOf,
  type Signer,
  type Signing,
  service,
  signing,
  smithy,
} from "./signers.ts";

const oneOf = fc.constantFrom;
const text = fc
  .array(
    fc.oneof(
      oneOf(..."/ +%&=?#~!'()*;:@,$_-.\\\"<>[]{}|^`ab019"),
      fc.string({ unit: "grapheme", maxLength: 1 }),
    ),
    { minLength: 1, maxLength: 20 },
  )
  .map((units) => units.join(""))
  .filter((all) => all.isWellFormed() && !/(^|\/)\.\.?(\/|$)/.test(all));
const headerValue = fc
  .string({ unit: oneOf(..."abcXYZ019  /;=,\"'()*%+&~"), minLength: 1, maxLength: 20 })
  .map((all) => all.trim() || "x");

const encode = (all: string) =>
  encodeURIComponent(all).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const asked = fc.record({
  method: oneOf("GET", "HEAD", "DELETE", "PUT", "POST"),
  path: text.map((key) => `/s3/media/${key.split("/").map(encode).join("/")}`),
  query: fc.dictionary(
    fc.oneof(
      oneOf("uploads", "versionId", "x-id", "prefix", "list-type"),
      fc.stringMatching(/^[\w~.-]{1,8}$/),
    ),
    fc.oneof(fc.constant(""), text),
    { maxKeys: 4 },
  ),
  headers: fc.dictionary(
    fc.oneof(
      oneOf("content-type", "x-amz-meta-a", "range", "accept-encoding", "if-match", "cache-control"),
      fc.stringMatching(/^x-amz-meta-[a-z]{1,5}$/),
    ),
    headerValue,
    { maxKeys: 5 },
  ),
});

const how = fc.record({
  signer: oneOf<Signer>(smithy, byAws4),
  expiresIn: fc.option(fc.integer({ min: 901, max: 604_800 }), { nil: undefined }),
  region: oneOf("us-east-1", "auto", "US-EAST-04A"),
  host: oneOf(HOST, "127.0.0.1:8787", "media.s3.example.com"),
  skew: fc.integer({ min: -899, max: 899 }),
});

/** @param runs the long suite has more of them */
export async function holds(runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(asked, how, async (request, { signer, skew, ...rest }) => {
      const options: Signing = { ...signing, ...rest, date: new Date(NOW + skew * 1000) };
      const signed = await signer(request, options);
      const verified = await verify(requestOf(signed), { host: rest.host, service, now: NOW });
      expect(verified.caller.name).toBe("acme");
      expect(Object.fromEntries(verified.query)).toEqual(request.query);
    }),
    { numRuns: runs },
  );
}
