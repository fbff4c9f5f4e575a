/** Fields that an operation has elsewhere than the others: in a header and not the query, in a form's field, in the body. */
import type { Sent } from "./fields.ts";
import { contentMd5, tagsXml } from "./tags.ts";

/** GetObjectAttributes takes as headers what ListParts takes in the query. */
export function pageByHeaders({ headers, query }: Sent): void {
  for (const name of ["max-parts", "part-number-marker"]) {
    const value = query[name];
    if (value !== undefined) headers[`x-amz-${name}`] = value;
    delete query[name];
  }
}

/** A form has tags as XML, in a field of its own. */
export function tagByForm({ headers }: Sent): void {
  const { "x-amz-tagging": tagging } = headers;
  if (tagging === undefined) return;
  delete headers["x-amz-tagging"];
  headers.tagging = tagsXml(tagging);
}

/** The tags are the body, which is signed by its MD5. */
export function tagByBody(sent: Sent): void {
  const { "x-amz-tagging": tagging } = sent.headers;
  if (tagging === undefined) return;
  delete sent.headers["x-amz-tagging"];
  sent.body = tagsXml(tagging);
  sent.headers["content-md5"] = contentMd5(sent.body);
}
