/**
 * A store that answers at once and keeps nothing but under which key an object lies: enough to count what a rotation asks
 * of one. It stands in the place of `fetch`.
 */
const KEY_MD5 = "x-amz-server-side-encryption-customer-key-md5";
const ALGORITHM = "x-amz-server-side-encryption-customer-algorithm";
const ETAG = '"0123456789abcdef0123456789abcdef"';
/** Objects of a listing. */
const MAX_KEYS = 1000;
const MAX_BODY = 64 * 2 ** 20;

export interface Asked {
  /** GET and HEAD, which stores charge little for. */
  reads: number;
  /** PUT, COPY, POST and LIST. */
  writes: number;
}

/** @param objects their names, in order. @param size of each, bytes */
export function pretendStore(objects: readonly string[], size: number, keyMd5: string) {
  const under = new Map(objects.map((key) => [key, keyMd5]));
  // Of what is copied nobody reads the bytes.
  const body = new Uint8Array(Math.min(size, MAX_BODY));
  const asked: Asked = { reads: 0, writes: 0 };
  let parts: string[] = [];

  const answer = async (url: URL, method: string, headers: Headers): Promise<Response> => {
    const key = decodeURIComponent(url.pathname.split("/").slice(2).join("/"));
    const query = url.searchParams;
    const isRead = (method === "GET" || method === "HEAD") && !query.has("list-type");
    asked[isRead ? "reads" : "writes"]++;
    if (query.has("list-type")) return xml(list(query));
    if (query.has("acl")) return xml("<AccessControlPolicy/>");
    if (query.has("uploads")) {
      parts = [];
      return xml(
        "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
        headers,
      );
    }
    if (query.has("uploadId") && method === "GET")
      return xml(`<ListPartsResult>${parts.join("")}</ListPartsResult>`);
    if (query.has("partNumber")) {
      if (headers.has("x-amz-copy-source"))
        return xml(`<CopyPartResult><ETag>${ETAG}</ETag></CopyPartResult>`, headers);
      return new Response(null, { headers: { etag: ETAG, ...echo(headers.get(KEY_MD5)) } });
    }
    if (method === "PUT" || method === "POST") {
      under.set(key, headers.get(KEY_MD5) ?? "");
      const root = method === "POST" ? "CompleteMultipartUploadResult" : "CopyObjectResult";
      if (method === "POST" || headers.has("x-amz-copy-source"))
        return xml(`<${root}><ETag>${ETAG}</ETag></${root}>`, headers);
      return new Response(null, { headers: { etag: ETAG, ...echo(headers.get(KEY_MD5)) } });
    }
    if (headers.get(KEY_MD5) !== under.get(key)) return new Response(null, { status: 403 });
    const [, first, last] = /bytes=(\d+)-(\d+)/.exec(headers.get("range") ?? "") ?? [];
    const isRange = first !== undefined;
    const length = isRange ? Number(last) - Number(first) + 1 : size;
    const own = { etag: ETAG, "content-length": String(length), "last-modified": LAST_MODIFIED };
    return new Response(method === "HEAD" ? null : body.subarray(0, length), {
      status: isRange ? 206 : 200,
      headers: { ...own, ...echo(headers.get(KEY_MD5)) },
    });
  };

  const list = (query: URLSearchParams) => {
    const rest = objects.filter((key) => key > (query.get("start-after") ?? ""));
    const page = rest.slice(0, Math.min(MAX_KEYS, Number(query.get("max-keys") ?? MAX_KEYS)));
    const isTruncated = page.length < rest.length;
    const contents = page.map(
      (key) => `<Contents><Key>${key}</Key><Size>${size}</Size><ETag>${ETAG}</ETag></Contents>`,
    );
    const more = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    return `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${more}${contents.join("")}</ListBucketResult>`;
  };

  return {
    asked,
    fetch: (input: string | URL | Request, init: RequestInit = {}) =>
      answer(new URL(String(input)), init.method ?? "GET", new Headers(init.headers)),
  };
}

const LAST_MODIFIED = "Sun, 01 Nov 2026 00:00:00 GMT";

function echo(md5: string | null): Record<string, string> {
  return md5 === null ? {} : { [ALGORITHM]: "AES256", [KEY_MD5]: md5 };
}

function xml(text: string, asked = new Headers()): Response {
  return new Response(text, { headers: { "content-type": "application/xml", ...echo(asked.get(KEY_MD5)) } });
}
