/**
 * Which operation a request is: the table of what can be presigned, read backwards, and beside it what is asked of buckets.
 * An address with a parameter that its operation does not know is another operation of S3's, which there is not here.
 */
import { CONTENT_TYPE, MAX_BYTES } from "../objects/link-limits.ts";
import { type FieldName, parameterOf } from "../s3/api/fields.ts";
import { OPERATION_NAMES, OPERATIONS, type OperationName } from "../s3/api/operations.ts";
import type { Target } from "./address.ts";
import { S3Fault } from "./faults.ts";

/** What is asked of all buckets, or of one. */
const OF_BUCKETS = {
  ListBuckets: {
    of: "service",
    method: "GET",
    markers: [],
    parameters: ["prefix", "max-buckets", "continuation-token", "bucket-region"],
  },
  HeadBucket: { of: "bucket", method: "HEAD", markers: [], parameters: [] },
  CreateBucket: { of: "bucket", method: "PUT", markers: [], parameters: [] },
  GetBucketLocation: { of: "bucket", method: "GET", markers: ["location"], parameters: [] },
  ListObjects: {
    of: "bucket",
    method: "GET",
    markers: [],
    parameters: ["prefix", "delimiter", "marker", "max-keys", "encoding-type"],
  },
  ListObjectsV2: {
    of: "bucket",
    method: "GET",
    markers: ["list-type"],
    parameters: [
      ...["prefix", "delimiter", "continuation-token", "start-after", "max-keys", "encoding-type"],
      "fetch-owner",
    ],
  },
  ListMultipartUploads: {
    of: "bucket",
    method: "GET",
    markers: ["uploads"],
    parameters: ["prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"],
  },
  DeleteObjects: { of: "bucket", method: "POST", markers: ["delete"], parameters: [] },
} as const satisfies Record<string, Form>;

/** How a request looks. */
interface Form {
  readonly of: "service" | "bucket" | "object";
  readonly method: string;
  /** Parameters that make it this operation. */
  readonly markers: readonly string[];
  /** A header that does. */
  readonly header?: string;
  /** Others that it may have. */
  readonly parameters: readonly string[];
}

/** What the gateway has of the table: all but forms, which are for the store. */
const OF_OBJECTS = OPERATION_NAMES.filter((name) => name !== "PostObject");

export type GatewayOperation = (typeof OF_OBJECTS)[number] | keyof typeof OF_BUCKETS;

/** AWS's own clients send it, and it says nothing that the rest does not. */
const ID = "x-id";
const RESPONSE = "response-";

/** What an entry of the table looks like when it arrives. */
function formOf(name: OperationName): Form {
  const { method, query = {}, fields, required = [], sized, atEdge } = OPERATIONS[name];
  const parametersOf = (names: readonly FieldName[]) =>
    names.map(parameterOf).filter((one) => one !== undefined);
  return {
    of: "object",
    method,
    markers: [...Object.keys(query).filter((one) => one !== ID), ...parametersOf(required)],
    ...(required.includes("source") && { header: "x-amz-copy-source" }),
    parameters: [
      // What pages the attributes of an object stands in headers.
      ...(name === "GetObjectAttributes" ? ["versionId"] : parametersOf(fields)),
      // What a link of the edge says of the upload that it takes.
      ...(atEdge && sized === "contentLength" ? [MAX_BYTES, CONTENT_TYPE] : []),
    ],
  };
}

export type Forms = readonly (readonly [GatewayOperation, Form])[];

/** Every operation there is. */
const FORMS = [
  ...Object.entries(OF_BUCKETS),
  ...OF_OBJECTS.map((name) => [name, formOf(name)] as const),
] as Forms;

/**
 * The operations of the service, of a bucket or of an object that have this method. A HEAD of the service counts as its GET,
 * ListBuckets: S3 has no operation for it, but some clients send it to see whether a server answers.
 */
export function formsAt(of: string, method: string): Forms {
  const asked = of === "service" && method === "HEAD" ? "GET" : method;
  return FORMS.filter(([, form]) => form.of === of && form.method === asked);
}

/** Of those that fit, the one with the most marks is meant: each of the others leaves one unread. */
const marksOf = ({ markers, header }: Form) => markers.length + (header === undefined ? 0 : 1);

/**
 * @param parameters names of the query's
 * @throws {S3Fault} NotImplemented, with the parameter that there is no operation for; MethodNotAllowed
 */
export function operationOf(
  method: string,
  { bucket, key }: Target,
  parameters: readonly string[],
  headers: Headers,
): GatewayOperation {
  const of = bucket === "" ? "service" : key === "" ? "bucket" : "object";
  const isThere = ({ markers, header }: Form) =>
    markers.every((one) => parameters.includes(one)) && (header === undefined || headers.has(header));
  const [found] = formsAt(of, method)
    .filter(([, form]) => isThere(form))
    .sort(([, a], [, b]) => marksOf(b) - marksOf(a));
  const known = found === undefined ? [] : [...found[1].markers, ...found[1].parameters];
  const strange = parameters.find(
    (one) =>
      one !== ID &&
      !known.includes(one) &&
      !(one.startsWith(RESPONSE) && (found?.[0] === "GetObject" || found?.[0] === "HeadObject")),
  );
  if (strange !== undefined) throw notImplemented(`with the parameter "${strange}"`);
  if (found !== undefined) return found[0];
  if (method === "POST" || method === "DELETE" || method === "PUT") throw notImplemented("here");
  throw new S3Fault("MethodNotAllowed", "The specified method is not allowed against this resource.");
}

function notImplemented(where: string): S3Fault {
  return new S3Fault("NotImplemented", `A request of this kind ${where} is not implemented.`);
}
