/** The document of the API is of all of the API, and sound by itself. */
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, it } from "vitest";
import { PROBLEMS } from "../../src/http/problem.ts";
import { wholeApi } from "../../src/http/routes.ts";
import { LIMITS } from "../../src/limits.ts";
import { services } from "../../src/service.ts";
import { type Content, document, faultOf, OPERATIONS, resolved } from "./described.ts";

const addresses = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`);

describe("the document", () => {
  it("has every route of the app, and no other", () => {
    const { routes } = wholeApi({ serviceOf: services({ limits: LIMITS }), depth: 0 });
    const ofApp = routes
      // Middleware is for all methods. What a page loads is its own affair.
      .filter(({ method, path }) => method !== "ALL" && path !== "/assets/*")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{[^/]*\})?/g, "{$1}")}`);
    // Hono answers HEAD by what answers GET; S3 is an app of its own.
    const ofDocument = addresses.filter((address) => !/^HEAD | \/s3(\/|$)/.test(address));
    expect(ofApp).toContain("POST /v1/presign");
    expect([...new Set(ofApp)].sort()).toEqual(ofDocument.sort());
  });

  it("has S3's methods at each of its places", () => {
    expect(addresses.filter((address) => address.includes(" /s3")).sort()).toEqual(
      [
        ...["GET", "HEAD"].map((method) => `${method} /s3`),
        ...["GET", "HEAD", "PUT", "POST"].map((method) => `${method} /s3/{bucket}`),
        ...["GET", "HEAD", "PUT", "POST", "DELETE"].map((method) => `${method} /s3/{bucket}/{key}`),
      ].sort(),
    );
  });

  it("has every problem, each as the service tells it", () => {
    const { responses } = document.components as {
      responses: Record<string, { content: Content }>;
    };
    const told = Object.values(responses).flatMap(({ content }) => {
      const { schema, examples = {} } = content["application/problem+json"] ?? { schema: {} };
      return Object.entries(examples).map(([code, { value }]) => {
        expect(faultOf(schema, value), code).toBeUndefined();
        const { status, title } = value as { status: number; title: string };
        return [code, [status, title]];
      });
    });
    expect(Object.fromEntries(told)).toEqual(PROBLEMS);
  });

  it("has examples that its own schemas allow, for all JSON that is sent and answered", () => {
    for (const { method, path, operation } of OPERATIONS) {
      const contents = [
        operation.requestBody?.content ?? {},
        ...Object.values(operation.responses)
          .filter(({ $ref }) => $ref === undefined)
          .map((response) => resolved<{ content?: Content }>(response).content ?? {}),
      ];
      for (const [type, { schema, examples }] of contents.flatMap((content) => Object.entries(content))) {
        if (!type.endsWith("json") || schema.$ref === "#/components/schemas/LfsError") continue;
        const where = `${method} ${path} ${type}`;
        expect(Object.keys(examples ?? {}), where).not.toEqual([]);
        for (const [name, { value }] of Object.entries(examples ?? {}))
          expect(faultOf(schema, value), `${where} ${name}`).toBeUndefined();
      }
    }
  });

  it("has no extensions, which only some tools would know", () => {
    const names = [
      document,
      ...Object.values(document.paths),
      ...OPERATIONS.map(({ operation }) => operation),
    ];
    expect(names.flatMap((each) => Object.keys(each)).filter((name) => name.startsWith("x-"))).toEqual([]);
  });

  it("is without a fault to a linter", async () => {
    const config = await createConfig({
      extends: ["recommended"],
      rules: {
        // /healthz refuses nobody.
        "operation-4xx-response": "off",
      },
    });
    const problems = await lintFromString({
      source: JSON.stringify(document),
      absoluteRef: "openapi.json",
      config,
    });
    const told = problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]);
    // It is the answer to methods that no address has, and so to nothing that is described.
    const unused = [
      "no-unused-components",
      'Component: "Problem405" is never used.',
      "#/components/responses/Problem405",
    ];
    expect(told).toEqual([unused]);
  });
});

describe("a schema of the document", () => {
  it("allows nothing that has no name in it", () => {
    const schema = { $ref: "#/components/schemas/Health" };
    expect(faultOf(schema, { status: "ok" })).toBeUndefined();
    expect(faultOf(schema, { status: "ok", version: 1 })).toMatch("additional properties");
    expect(faultOf(schema, {})).toMatch("required");
  });
});
