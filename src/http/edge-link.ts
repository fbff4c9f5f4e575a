/** `via: "edge"`: URLs of the Worker itself, which need no customer key, signed with the caller's own credentials. */
import { type GatewayCredentials, gatewayCredentials } from "../auth/gateway-credentials.ts";
import type { Config } from "../config/load.ts";
import type { AppContext } from "../front/context.ts";
import { CONTENT_TYPE, MAX_BYTES } from "../objects/link-limits.ts";
import { Refused } from "../refused.ts";
import { encodeKey, encodeQuery, encodeRfc3986 } from "../s3/api/encode.ts";
import type { PresignRequest } from "../s3/api/operations.ts";
import { expiryOf, type Presigned } from "../s3/sign/presign.ts";
import { signerOf } from "../s3/sign/sigv4.ts";

/** One that the gateway takes, whatever the stores' are called. */
const REGION = "us-east-1";

/** What a link asks of the gateway. */
export interface Linked {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Of an upload: in the query, so that nobody has to send them. */
  readonly limits?: Pick<PresignRequest, "contentType" | "maxBytes">;
}

/** Signs the links of one HTTP request. */
export class EdgeLinks {
  readonly #c: AppContext;
  #credentials: Promise<GatewayCredentials> | undefined;

  constructor(c: AppContext) {
    this.#c = c;
  }

  /**
   * @param asked seconds that the link is asked to live; undefined where nobody says
   * @param expiresIn seconds that the caller's grants let it live
   * @throws {Refused} invalid-request where it would outlive the caller's credentials; as `gatewayCredentials` does
   */
  async link(
    { method, bucket, key, headers, query, limits = {} }: Linked,
    asked: number | undefined,
    expiresIn: number,
  ): Promise<Presigned & { readonly expiresAt: string }> {
    const { service, caller } = this.#c.var;
    const now = new Date();
    // One session serves all links of a batch.
    this.#credentials ??= gatewayCredentials(caller, service, now.getTime());
    const { seconds = expiresIn, ...credentials } = await this.#credentials;
    if (asked !== undefined && asked > seconds)
      throw Refused.field(
        "expiresIn",
        `must be at most ${seconds} seconds: so long the caller's credentials last`,
      );
    const signing = { credentials, signingDate: now, expiresIn: Math.min(expiresIn, seconds) };

    const { signedHeaders, parameters } = limitedBy(headers, limits);
    const { origin, host, path: base } = placeOf(this.#c, service.config);
    const path = `${base}/${encodeRfc3986(bucket)}/${encodeKey(key)}`;
    const signed = signerOf(credentials, REGION).presign(
      { method, host, path, query: encodeQuery({ ...query, ...parameters }), headers: signedHeaders },
      signing.signingDate,
      signing.expiresIn,
    );
    const { "content-length": _, ...toSend } = headers;
    return { method, url: `${origin}${path}?${signed}`, headers: toSend, expiresAt: expiryOf(signing) };
  }
}

function limitedBy(
  headers: Readonly<Record<string, string>>,
  { contentType, maxBytes }: NonNullable<Linked["limits"]>,
) {
  const { "content-type": _, ...untyped } = headers;
  return {
    signedHeaders: contentType === undefined ? headers : untyped,
    parameters: {
      ...(contentType !== undefined && { [CONTENT_TYPE]: contentType }),
      ...(maxBytes !== undefined && { [MAX_BYTES]: String(maxBytes) }),
    },
  };
}

/** A host of its own, where there is one, keeps what people upload away from the page and the API. */
function placeOf(c: AppContext, { s3Hosts: [own] }: Config): { origin: string; host: string; path: string } {
  const [whole = ""] = c.req.url.split(/[?#]/, 1);
  const { protocol, host, origin } = new URL(whole);
  if (own !== undefined) return { origin: `${protocol}//${own}`, host: own, path: "" };
  const mount = whole.slice(origin.length, whole.length - c.req.path.length);
  return { origin, host, path: `${mount}/s3` };
}
