/** Every error, of the table that makes them: one response for each status, with an example of each code. */
import { PROBLEMS, Problem, type ProblemCode, type ProblemStatus } from "../../src/http/problem.ts";
import { type JsonSchema, refTo } from "./json-schema.ts";

/** A code with what is said of it as an example. */
const DETAILS: Readonly<Record<ProblemCode, string>> = {
  "invalid-request": "contentLength: must be a whole number",
  unauthenticated: "The token is not known.",
  forbidden: "The caller may not do this, or there is no such bucket.",
  "not-found": "There is no such object.",
  "method-not-allowed": "Use POST here.",
  "key-unknown": "The object is under none of the bucket's keys.",
  "not-encrypted": "The object is not encrypted with a customer key.",
  "no-writable-key": "None of the bucket's keys may write now.",
  conflict: "A rotation of this bucket runs already.",
  "length-required": "contentLength must be given.",
  "precondition-failed": "The object is there already.",
  "too-large": "The caller may upload at most 104857600 bytes.",
  "unsupported-type": "The caller may upload image/* alone.",
  "range-not-satisfiable": "The object has 48213 bytes.",
  "rate-limited": "Too many requests: wait 60 seconds.",
  misconfigured: "The service is not configured correctly; its operator can see why.",
  "key-invalid": "The customer key cannot be used; the service's operator can see why.",
  internal: "Something went wrong in the service; its log knows this request by its id.",
  "store-error": "The store did not do as asked; the service's operator can see why.",
  "audit-unavailable": "The audit trail cannot be written.",
  unavailable: "The database does not answer at the moment: try again soon.",
  "store-timeout": "The store did not answer in time.",
};

const CODES = Object.keys(PROBLEMS) as ProblemCode[];
export const STATUSES = [...new Set(CODES.map((code) => PROBLEMS[code][0]))];

const REQUEST_ID = "0199d2c4-6a0e-4d5f-9a57-0f6c1a3b7e21";

/** What an answer with this status says beside its body. */
const HEADERS: Readonly<Partial<Record<ProblemStatus, readonly string[]>>> = {
  401: ["www-authenticate"],
  416: ["content-range"],
  429: ["retry-after"],
  503: ["retry-after"],
};

export const PROBLEM: JsonSchema = {
  type: "object",
  description: "RFC 9457. `code` is what programs go by.",
  properties: {
    type: { type: "string", format: "uri", description: "`urn:ssec-edge:problem:` and the code" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "A sentence for whoever wrote the request" },
    code: { type: "string", enum: CODES },
    requestId: { type: "string", description: "Of the log and the trail, and `x-request-id`" },
    errors: { type: "array", items: { $ref: refTo("FieldError") }, description: "The fields at fault" },
  },
  required: ["type", "title", "status", "detail", "code", "requestId"],
};

export const FIELD_ERROR: JsonSchema = {
  type: "object",
  properties: {
    path: {
      type: "string",
      description: "As `source.key` or `requests[3].bucket`; a header or parameter by its name",
    },
    message: { type: "string" },
  },
  required: ["path", "message"],
};

const codesAt = (status: ProblemStatus) => CODES.filter((code) => PROBLEMS[code][0] === status);

/** `components.responses`: one for each status. */
export function problemResponses(): Record<string, object> {
  return Object.fromEntries(STATUSES.map((status) => [nameAt(status), responseAt(status)]));
}

/** For the responses of an operation. */
export function problemsAt(statuses: readonly ProblemStatus[]): Record<string, object> {
  return Object.fromEntries(
    statuses.map((status) => [String(status), { $ref: `#/components/responses/${nameAt(status)}` }]),
  );
}

function nameAt(status: ProblemStatus): string {
  return `Problem${status}`;
}

function responseAt(status: ProblemStatus): object {
  const codes = codesAt(status);
  const headers = ["x-request-id", ...(HEADERS[status] ?? [])];
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}`).join(". "),
    headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: {
      "application/problem+json": {
        schema: {
          allOf: [
            { $ref: refTo("Problem") },
            { type: "object", properties: { status: { const: status }, code: { enum: codes } } },
          ],
        },
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  };
}

function exampleOf(code: ProblemCode): object {
  const errors =
    code === "invalid-request" ? [{ path: "contentLength", message: "must be a whole number" }] : undefined;
  return new Problem(code, DETAILS[code], { errors }).details(REQUEST_ID);
}
