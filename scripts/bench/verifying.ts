/** Verification of SigV4 alone: the gateway's, beside what signers of others would do, which sign anew and compare. */
import { timingSafeEqual } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import aws4 from "aws4";
import { Sha256 } from "../../src/cli/aws-presigner.ts";
import { verify } from "../../src/gateway/verify.ts";
import { LIMITS } from "../../src/limits.ts";
import { Service } from "../../src/service.ts";

const HOST = "edge.example.com";
const REGION = "us-east-1";
const credentials = { accessKeyId: "acme", secretAccessKey: "no-secret-but-as-long-as-real-ones-are-xx" };
const service = new Service(
  {
    STORES: {
      main: { endpoint: "https://s.example.com", region: REGION, accessKeyId: "A", secretAccessKey: "B" },
    },
    KEYS: { k1: { secret: "K" } },
    BUCKETS: { media: { store: "main", keys: ["k1"] } },
    CALLERS: { acme: { token: "T", grants: [{ bucket: "media", prefix: "", allow: ["read"] }] } },
    T: credentials.secretAccessKey,
  },
  { limits: LIMITS },
);

/** Whether a request is signed as it says. */
type Verifier = (request: Request) => Promise<boolean>;

const smithy = new SignatureV4({
  credentials,
  region: REGION,
  service: "s3",
  sha256: Sha256,
  uriEscapePath: false,
});

/** What a signer is given of a request, so that it signs what was signed. */
function partsOf({ method, url, headers }: Request) {
  const { pathname, searchParams } = new URL(url);
  const authorization = headers.get("authorization") ?? "";
  const names = (/SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? "").split(";");
  const signed = Object.fromEntries(
    names.map((name) => [name, name === "host" ? HOST : (headers.get(name) ?? "")]),
  );
  return { method, path: pathname, query: Object.fromEntries(searchParams), headers: signed, authorization };
}

const isSame = (a: string, b: string) =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
const signatureIn = (authorization = "") => authorization.slice(-64);

const VERIFIERS: Readonly<Record<string, Verifier>> = {
  "ssec-edge": (request) => verify(request, { host: HOST, service }).then(() => true),
  aws4: async (request) => {
    const { authorization, method, path, headers } = partsOf(request);
    const signed = aws4.sign(
      { method, host: HOST, path, region: REGION, service: "s3", headers },
      credentials,
    );
    return isSame(signatureIn(signed.headers.Authorization), signatureIn(authorization));
  },
  "@smithy/signature-v4": async (request) => {
    const { authorization, headers, ...parts } = partsOf(request);
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers["x-amz-date"] ?? "") ?? [];
    const { "x-amz-date": _, ...given } = headers;
    const again = await smithy.sign(
      { ...parts, protocol: "https:", hostname: HOST, headers: given },
      { signingDate: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) },
    );
    return isSame(signatureIn(again.headers.authorization), signatureIn(authorization));
  },
};

/** A GET of an object as AWS's clients send it, each of another one. */
async function signedRequests(count: number): Promise<Request[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const path = `/s3/media/users/42/object-${i}.bin`;
      const { headers } = await smithy.sign({
        ...{ method: "GET", protocol: "https:", hostname: HOST, path, query: {} },
        headers: { host: HOST, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      });
      const { host: __, ...sent } = headers;
      return new Request(`https://${HOST}${path}`, { headers: sent });
    }),
  );
}

/**
 * Microseconds of CPU that each takes of one request, the least of all rounds: one after the other in turns, so that what
 * else the machine does is alike for all.
 */
export async function verifying(effort: { readonly rounds: number; readonly requests: number }) {
  const requests = await signedRequests(effort.requests);
  const best = new Map<string, number>();
  for (let round = 0; round <= effort.rounds; round++) {
    for (const [name, isSigned] of Object.entries(VERIFIERS)) {
      const before = process.cpuUsage();
      for (const request of requests)
        if (!(await isSigned(request)))
          throw new Error(`${name} does not verify what AWS's signer has signed`);
      const { user, system } = process.cpuUsage(before);
      // The first round is for the compiler.
      if (round > 0)
        best.set(
          name,
          Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, (user + system) / requests.length),
        );
    }
  }
  return Object.fromEntries([...best].map(([name, cost]) => [name, Math.round(cost * 10) / 10]));
}
