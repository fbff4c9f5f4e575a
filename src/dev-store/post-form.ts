/**
 * PostObject: a browser's form, held against the policy that was signed for it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
 */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { Busboy } from "@fastify/busboy";
import { attributesOf } from "./attributes.ts";
import { bodyFrom } from "./body.ts";
import { answer, type Call } from "./call.ts";
import { claimedChecksum } from "./checksums.ts";
import { S3Error } from "./errors.ts";
import { authorize } from "./evaluate.ts";
import { checkKey, MAX_PUT_BYTES } from "./limits.ts";
import { checkToken, equal, signString, type Verifier } from "./sigv4.ts";
import { refuseSse } from "./ssec.ts";
import { tagsInXml } from "./tags.ts";
import { storeObject, writtenHeaders } from "./write.ts";
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

export async function postObject(call: Omit<Call, "payload" | "signing">): Promise<void> {
  refuseSse(call.headers, "as HTTP headers of a form: send them as its fields");
  const { store, bucket } = call;
  const { fields, file, fileName } = await readForm(call.request);
  const policy = verifiedPolicy(fields, store.verifier);
  fields.bucket ??= bucket;
  if (fields.bucket !== bucket)
    throw new S3Error("InvalidArgument", "The form's bucket is not that of its address.");
  checkFields(fields, policy);

  const key = (fields.key ?? "").replaceAll("${filename}", fileName);
  if (key === "") throw new S3Error("InvalidArgument", "Bucket POST must contain a field named 'key'.");
  checkKey(key);
  authorize(store, { action: "s3:PutObject", bucket, key, named: fields });
  const { tagging, ...named } = fields;
  const tags = tagging === undefined ? [] : tagsInXml(tagging);
  const attributes = { ...attributesOf(asHeaders(named), store, bucket), tags };
  const body = bodyFrom(withinRange(file, policy), claimedChecksum(fields));
  const place = { store, bucket, key };
  const row = await storeObject(place, body, attributes);
  reply(call, key, fields, writtenHeaders(place, row));
}

/** 204, or what the form asks for: 200, 201 with XML, or a redirect that says what was stored. */
function reply(
  call: Omit<Call, "payload" | "signing">,
  key: string,
  fields: Fields,
  headers: Record<string, string>,
): void {
  const { bucket, host, response } = call;
  const location = `http://${host}/${bucket}/${encodeURIComponent(key)}`;
  const { success_action_status: status, success_action_redirect: redirect = fields.redirect } = fields;
  const target = URL.parse(redirect ?? "");
  if (target !== null) {
    for (const [name, value] of Object.entries({ bucket, key, etag: headers.etag ?? "" }))
      target.searchParams.set(name, value);
    answer({ response }, 303, { ...headers, location: target.href });
    return;
  }
  const result = { Location: location, Bucket: bucket, Key: key, ETag: headers.etag };
  const text = status === "201" ? xml("PostResponse", result, "") : "";
  answer(
    { response },
    status === "200" || status === "201" ? Number(status) : 204,
    { ...headers, location },
    text,
  );
}

/** Fields as headers would bring them: UTF-8, a character a byte. @throws {S3Error} for what no header can hold */
function asHeaders(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused.
      if (/[\0-\x08\x0a-\x1f\x7f]/.test(value) && name !== "policy")
        throw new S3Error("InvalidArgument", `The field ${name} holds control characters.`, {
          ArgumentName: name,
        });
      return [name, Buffer.from(value).toString("latin1")];
    }),
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
  checkToken(fields["x-amz-security-token"], { credentials });
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
  const [, least, most] = conditions.find(isRange) ?? ["", 0, MAX_PUT_BYTES];
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
