/** The document of the API, OpenAPI 3.1: of the schemas that validate, the table of problems, and scripts/openapi/routes.ts. */
import manifest from "../package.json" with { type: "json" };
import { OPERATION_NAMES } from "../src/s3/api/operations.ts";
import { schemasOf } from "./openapi/json-schema.ts";
import { FIELD_ERROR, PROBLEM, problemResponses } from "./openapi/problems.ts";
import { operationOf } from "./openapi/route.ts";
import { ROUTES } from "./openapi/routes.ts";
import { NAMED, PRESIGN, presignDescription, presignName, S3_ERROR } from "./openapi/schemas.ts";

const TAGS = {
  "Presigned requests":
    "Requests that go straight to the store, with a customer key that the client never chooses",
  "Uploads in parts": "Driven by the service: no XML, and no key's name",
  "Objects through the edge": "The customer key stays at the edge",
  Callers: "Who calls, and what they may do",
  "Keys and rotations": "For callers with a grant to admin",
  "The trail": "What was asked, by whom, and how it ended",
  "Git LFS": "For an unmodified git-lfs",
  S3: "S3's own API, signed as S3's clients sign, in XML: docs/gateway.md",
  Service: "The service itself",
};

const header = (description: string, schema: object = { type: "string" }) => ({ description, schema });
const HEADERS = {
  "x-request-id": header("Of the log and the trail"),
  "www-authenticate": header("RFC 6750, section 3"),
  "retry-after": header("Seconds, or a date"),
  "content-range": header("RFC 9110, section 14.4"),
  "content-length": header("Bytes", { type: "integer" }),
  "last-modified": header("A date, as HTTP has it"),
  etag: header("The object's, as the store has it"),
  "x-ssec-key-id": header("The customer key that the object is under"),
};

export type Document = Readonly<Record<string, unknown>> & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

export function openapi(): Document {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [address, route] of Object.entries(ROUTES)) {
    const [method = "", path = ""] = address.split(" ");
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(path, route) };
  }
  const schemas = schemasOf(NAMED);
  for (const name of OPERATION_NAMES) {
    const schema = presignName(name);
    schemas[schema] = { ...schemas[schema], description: presignDescription(name) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: manifest.name,
      version: manifest.version,
      description: `${manifest.description}.`,
      license: { name: manifest.license, identifier: manifest.license },
    },
    // Where the document itself is.
    servers: [{ url: "." }],
    security: [{ token: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: {
        ...schemas,
        PresignRequest: PRESIGN,
        Problem: PROBLEM,
        FieldError: FIELD_ERROR,
        S3Error: S3_ERROR,
      },
      responses: problemResponses(),
      headers: HEADERS,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A partner's token, or a user's JWT" },
        password: { type: "http", scheme: "basic", description: "The token as the password: git-lfs" },
        s3: { type: "apiKey", in: "header", name: "authorization", description: "AWS Signature Version 4" },
      },
    },
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(openapi(), undefined, 2)}\n`);
