/** `ssec cors`: the rule is merged, proven as a browser would find it, and put back where it does not hold. */
import { type CORSRule, GetBucketCorsCommand, PutBucketCorsCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { ALGORITHM, store } from "../support/client.ts";
import { error, type Fault } from "../support/fault-proxy.ts";
import { operator, proxied, s3 } from "../support/operator.ts";

const TIMEOUT = { timeout: 240_000 };
const APP = "https://app.example.com";
const HEADERS = ["", "-MD5"].map((end) => `x-amz-server-side-encryption-customer-key${end}`);

async function rulesOf(Bucket: string): Promise<CORSRule[]> {
  try {
    return (await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules ?? [];
  } catch (error) {
    expect((error as Error).name).toBe("NoSuchCORSConfiguration");
    return [];
  }
}

const setRules = (Bucket: string, ...CORSRules: CORSRule[]) =>
  s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));

/** Somebody else's rule, which fits our pages too and does not let them do much. */
const FOREIGN: CORSRule = {
  ID: "theirs",
  AllowedOrigins: ["*"],
  AllowedMethods: ["GET", "PUT"],
  AllowedHeaders: ["content-type"],
};

/** What a browser is told that asks for a page of that origin. */
async function preflight(bucket: string, origin: string, method: string): Promise<number> {
  const { status } = await fetch(`${store.url}/${bucket}/key`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": HEADERS.join(","),
    },
  });
  return status;
}

test("without --apply the rule is printed, for the origins given or ALLOWED_ORIGINS", TIMEOUT, async () => {
  const { ssec, name } = await operator({ vars: `ALLOWED_ORIGINS = ["${APP}"]` });
  const printed = await ssec("cors", "media");
  expect(printed.status).toBe(0);
  expect(JSON.parse(printed.stdout)).toEqual({
    CORSRules: [
      {
        ID: "ssec-edge",
        AllowedOrigins: [APP],
        AllowedMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
        AllowedHeaders: ["*"],
        ExposeHeaders: ["ETag", ALGORITHM, `${HEADERS[0]}-MD5`],
        MaxAgeSeconds: 3600,
      },
    ],
  });
  const given = ["--origin", "https://*.example.org", "http://localhost:*"];
  expect(JSON.parse((await ssec("cors", "media", ...given)).stdout).CORSRules[0].AllowedOrigins).toEqual(
    given.slice(1),
  );
  expect(await rulesOf(name)).toEqual([]);
});

test("what cannot be is refused, with the reason", TIMEOUT, async () => {
  const { ssec, name } = await operator();
  const told = async (...args: string[]) => {
    const { status, stderr } = await ssec("cors", ...args);
    return `${status} ${stderr}`;
  };
  expect(await told("media", "--apply", "--yes")).toMatch(/^1 .*ALLOWED_ORIGINS is empty/);
  expect(await told("media", "--origin", `${APP}/`)).toMatch(/^2 .*without a path/);
  expect(await told("media", "--origin", APP, "--remove")).toMatch(/^2 /);
  expect(await told("media", "--origin", APP, "--apply")).toMatch(/^1 .*give --yes/);
  expect(await rulesOf(name)).toEqual([]);
});

test("it is applied, holds, and leaves nothing behind", TIMEOUT, async () => {
  const { ssec, name, objects } = await operator({ vars: `ALLOWED_ORIGINS = ["${APP}"]` });
  const { status, stdout } = await ssec("cors", "media", "--apply", "--yes");
  expect(status, stdout).toBe(0);
  expect(stdout).toContain('+      "ID": "ssec-edge"');
  expect(stdout.match(/✓/g)).toHaveLength(6);
  for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"]) {
    expect(await preflight(name, APP, method)).toBe(200);
  }
  expect(await preflight(name, "https://elsewhere.example", "PUT")).not.toBe(200);
  expect(await objects()).toEqual([]);

  const again = JSON.parse((await ssec("cors", "media", "--apply", "--json")).stdout);
  expect(again).toMatchObject({ changes: false, applied: false });
  expect(again.proof).toHaveLength(6);
});

test("an origin may have a wildcard", TIMEOUT, async () => {
  const { ssec, name } = await operator();
  const origins = ["https://*.example.org", "http://localhost:*"];
  const { status, stdout } = await ssec("cors", "media", "--origin", ...origins, "--apply", "--yes");
  expect(status, stdout).toBe(0);
  expect(stdout.match(/✓/g)).toHaveLength(12);
  expect(await preflight(name, "https://a.example.org", "PUT")).toBe(200);
});

test("others' rules stay as they are, after ours; ours is replaced, and taken out", TIMEOUT, async () => {
  const { ssec, name } = await operator();
  await setRules(name, FOREIGN);
  const apply = async (...args: string[]) => {
    const { status, stdout } = await ssec("cors", "media", ...args, "--apply", "--yes");
    expect(status, stdout).toBe(0);
    return rulesOf(name);
  };
  expect(await apply("--origin", APP)).toMatchObject([{ AllowedOrigins: [APP] }, FOREIGN]);
  const other = "https://other.example.com";
  expect(await apply("--origin", other)).toMatchObject([{ AllowedOrigins: [other] }, FOREIGN]);
  const [ours, kept] = await rulesOf(name);
  // Behind a rule that fits our pages as well, ours would count for nothing.
  await setRules(name, ...([kept, ours] as CORSRule[]));
  expect(await apply("--origin", other)).toEqual([ours, kept]);
  expect(await apply("--remove")).toEqual([kept]);
  // There is nothing more to remove.
  expect(await apply("--remove")).toEqual([kept]);
});

describe("where something comes between", () => {
  const isCors = ({ method, url = "" }: { method?: string | undefined; url?: string | undefined }) =>
    method === "GET" && /[?&]cors(=|&|$)/.test(url);

  test.for([
    [
      "preflights are refused",
      { on: ({ method }: { method?: string }) => method === "OPTIONS", answer: error(403, "AccessDenied") },
      /✗ .* may PUT with/,
    ],
    [
      "the ETag is hidden",
      {
        on: ({ method }: { method?: string }) => method === "PUT",
        headers: (headers: Record<string, unknown>) => {
          headers["access-control-expose-headers"] = `${ALGORITHM}, ${HEADERS[1]}`;
        },
      },
      /✗ .* may read .*, but not ETag$/m,
    ],
  ] as const)("%s: the old rules are back", TIMEOUT, async ([, fault, line]) => {
    const { ssec, name, objects } = await proxied({ ...(fault as Fault), times: Number.POSITIVE_INFINITY });
    await setRules(name, FOREIGN);
    const before = await rulesOf(name);
    const { status, stdout } = await ssec(
      "cors",
      "media",
      "--origin",
      APP,
      "--apply",
      "--yes",
      "--wait",
      "0.5",
    );
    expect(status).toBe(1);
    expect(stdout).toMatch(line);
    expect(stdout).toContain("the old CORS configuration is back");
    expect(await rulesOf(name)).toEqual(before);
    expect(await objects()).toEqual([]);
  });

  test("rules that were changed since they were read are not written over", TIMEOUT, async () => {
    let reads = 0;
    const { ssec, name } = await proxied({
      on: (request) => isCors(request) && ++reads === 2,
      answer: error(404, "NoSuchCORSConfiguration"),
    });
    await setRules(name, FOREIGN);
    const before = await rulesOf(name);
    const { status, stderr } = await ssec(
      "cors",
      "media",
      "--origin",
      APP,
      "--apply",
      "--yes",
      "--wait",
      "0.5",
    );
    expect(status).toBe(1);
    expect(stderr).toContain("somebody has changed the CORS configuration in the meantime");
    expect(await rulesOf(name)).toEqual(before);
  });
});
