/**
 * PostObject: a browser's form, held against the policy that was signed for it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
 */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { Busboy } from "@fastify/busboy";
import { answer, type Call } from "./call.ts";
import { S3Error } from "./errors.ts";
import { authorize } from "./evaluate.ts";
import { keptHeaders, storeObject } from "./objects.ts";
import { equal, signString, type Verifier } from "./sigv4.ts";
import { refuseSse, sseEcho, sseKeyOf } from "./ssec.ts";
import { xml } from "./xml.ts";

type Fields = Record<string, string>;
type Condition =
  | Readonly<Record<string, string>>
  | readonly [string, string, string]
  | readonly ["content-length-range", number, number];

interface Policy {
  readonly expiration: string;
  readonly conditions: readonly Condition[];
}

/** Fields that no condition needs to cover. */
const UNCOVERED = new Set(["policy", "x-amz-signature", "file"]);

export async function postObject(call: Omit<Call, "payload">): Promise<void> {
  refuseSse(call.headers, "as HTTP headers of a form: send them as its fields");
  const { fields, file, fileName } = await readForm(call.request);
  const policy = verifiedPolicy(fields, call.store.verifier);
  fields.bucket ??= call.bucket;
  checkFields(fields, policy);

  const key = (fields.key ?? "").replaceAll("${filename}", fileName);
  if (key === "") throw new S3Error("InvalidArgument", "Bucket POST must contain a field named 'key'.");
  if (Buffer.byteLength(key) > 1024) throw new S3Error("KeyTooLongError", "Your key is too long.");
  authorize(call.store, { action: "s3:PutObject", bucket: call.bucket, key, named: fields });
  const body = withinRange(file, policy);
  const row = await storeObject({ ...call, key }, body, sseKeyOf(fields), keptHeaders(fields));
  const status = Number(fields.success_action_status ?? 204);
  const location = `http://${call.host}/${call.bucket}/${encodeURIComponent(key)}`;
  const headers = { etag: `"${row.etag}"`, location, ...sseEcho(row.keyMd5) };
  const result = { Location: location, Bucket: call.bucket, Key: key, ETag: `"${row.etag}"` };
  const full = { ...call, payload: "" };
  answer(
    full,
    [200, 201].includes(status) ? status : 204,
    headers,
    status === 201 ? xml("PostResponse", result, "") : "",
  );
}

interface ReadForm {
  readonly fields: Fields;
  readonly file: Readable;
  readonly fileName: string;
}

/** The fields up to the file, which is still to be read. */
function readForm(request: IncomingMessage): Promise<ReadForm> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadForm>();
  const malformed = (message: string) => new S3Error("MalformedPOSTRequest", message);
  const type = request.headers["content-type"] ?? "";
  if (!/^multipart\/form-data;/i.test(type)) throw malformed("The body must be multipart/form-data.");
  const busboy = new Busboy({
    headers: { ...request.headers, "content-type": type },
    limits: { fieldSize: 20_480, fields: 1000 },
    preservePath: true,
  });
  const fields: Fields = {};
  busboy.on("field", (name, value) => {
    fields[name.toLowerCase()] = value;
  });
  busboy.on("file", (name, file, fileName) => {
    if (name !== "file") reject(malformed("The file's field must be named 'file'."));
    else resolve({ fields, file, fileName: fileName?.split(/[/\\]/).at(-1) ?? "" });
  });
  busboy.on("finish", () => reject(malformed("POST requires exactly one file upload per request.")));
  busboy.on("error", () => reject(malformed("The body is not well-formed multipart/form-data.")));
  request.on("aborted", () => busboy.destroy(new Error("aborted")));
  request.pipe(busboy);
  return promise;
}

function verifiedPolicy(fields: Fields, { credentials, region, now }: Verifier): Policy {
  const {
    policy = "",
    "x-amz-credential": credential = "",
    "x-amz-algorithm": algorithm,
    "x-amz-signature": signature = "",
  } = fields;
  const [accessKeyId, ...scope] = credential.split("/");
  if (policy === "" || algorithm !== "AWS4-HMAC-SHA256") throw new S3Error("AccessDenied", "Access Denied");
  if (accessKeyId !== credentials.accessKeyId) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  }
  const day = fields["x-amz-date"]?.slice(0, 8);
  if (scope.join("/") !== `${day}/${region}/s3/aws4_request`) {
    throw new S3Error("InvalidRequest", `The credential's scope must be DATE/${region}/s3/aws4_request.`);
  }
  if (!equal(signString(policy, scope.join("/"), credentials.secretAccessKey), signature)) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided.",
    );
  }
  const document = parsePolicy(policy);
  if (!(Date.parse(document.expiration) > now())) {
    throw new S3Error("AccessDenied", "Invalid according to Policy: Policy expired.");
  }
  return document;
}

function parsePolicy(policy: string): Policy {
  try {
    const document = JSON.parse(Buffer.from(policy, "base64").toString("utf8")) as Policy;
    if (typeof document.expiration === "string" && Array.isArray(document.conditions)) return document;
  } catch {
    // said below
  }
  throw new S3Error(
    "InvalidPolicyDocument",
    "The content of the form does not meet the conditions of a policy document.",
  );
}

function checkFields(fields: Fields, { conditions }: Policy): void {
  const covered = new Set<string>();
  for (const condition of conditions) {
    if (isRange(condition)) continue;
    const [operator, name, value] = Array.isArray(condition)
      ? [condition[0].toLowerCase(), condition[1].replace(/^\$/, "").toLowerCase(), condition[2]]
      : ["eq", (Object.keys(condition)[0] ?? "").toLowerCase(), Object.values(condition)[0]];
    const given = fields[name] ?? "";
    const holds = operator === "eq" ? given === value : operator === "starts-with" && given.startsWith(value);
    if (!holds)
      throw new S3Error(
        "AccessDenied",
        `Invalid according to Policy: Policy Condition failed: ${operator} $${name}`,
      );
    covered.add(name);
  }
  const extra = Object.keys(fields).filter(
    (name) => !covered.has(name) && !UNCOVERED.has(name) && !name.startsWith("x-ignore-"),
  );
  // The bucket's own condition is not one that the form has to bring.
  const uncovered = extra.filter((name) => name !== "bucket");
  if (uncovered.length > 0) {
    throw new S3Error(
      "AccessDenied",
      `Invalid according to Policy: Extra input fields: ${uncovered.join(", ")}`,
    );
  }
}

function isRange(condition: Condition): condition is readonly ["content-length-range", number, number] {
  return Array.isArray(condition) && condition[0] === "content-length-range";
}

async function* withinRange(
  file: AsyncIterable<Uint8Array>,
  { conditions }: Policy,
): AsyncGenerator<Uint8Array> {
  const [, least, most] = conditions.find(isRange) ?? ["", 0, 5 * 2 ** 30];
  let size = 0;
  for await (const chunk of file) {
    size += chunk.length;
    if (size > most)
      throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
    yield chunk;
  }
  if (size < least)
    throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
}
