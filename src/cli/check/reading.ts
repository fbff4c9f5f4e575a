/** What readers rely on: the length in HEAD, one part alone, lists that end and name what is there. */
import { XMLParser } from "fast-xml-parser";
import { customerKeyHeaders } from "../../keys/headers.ts";
import type { StoreClient } from "./client.ts";
import { type Answer, isDone, said } from "./http.ts";
import { getUnder, type Trial, type TrialObject } from "./object.ts";
import { refused } from "./refusal.ts";
import { all, bad, type Outcome, ok, warn } from "./report.ts";
import type { Scratch } from "./scratch.ts";

/** The service knows a stored object's size by this alone. */
export async function headLength(store: StoreClient, { name, key, body }: TrialObject): Promise<Outcome> {
  const head = await store.ask({ ...getUnder(name, key), method: "HEAD" });
  if (!isDone(head)) return refused(head);
  const length = head.headers["content-length"];
  if (length === String(body.length)) return ok(`${length} bytes`);
  return bad(
    length === undefined ? "no content-length" : `content-length ${length} of ${body.length} bytes`,
    "The service cannot tell how large an object is, and takes finished uploads for damaged: does a proxy on the way change the header?",
  );
}

/** The object has one part, so that the second is none. */
export async function partNumber(store: StoreClient, { name, key }: TrialObject): Promise<Outcome> {
  const answers = await all(
    ["GET", "HEAD"].map((method) =>
      store.ask({ ...getUnder(name, key), method, query: { partNumber: "2" } }),
    ),
  );
  const ignoring = answers.find(isDone);
  const other = answers.find(({ status }) => status < 400 || status >= 500);
  if (ignoring === undefined)
    return other === undefined
      ? ok(`a part that is not there is refused (${answers[0]?.status})`)
      : warn(`an answer that says nothing of it (${said(other)})`, "A refusal was due, 416: try again.");
  return warn(
    `ignored: part 2 of one gives the whole object (${said(ignoring)})`,
    "Whoever reads part by part gets the object many times over: read by Range there.",
  );
}

/** Names that must be encoded in one way or another: by query, by XML, and characters that XML turns into line ends. */
const ODD = ["a+b 100%.txt", "c\u0085d\u2028e\u2029f", "g&<>\"'ü"] as const;

/** A list of odd names, one a page: all of them come back as they are, and it ends. */
export async function list(store: StoreClient, scratch: Scratch, trial: Trial): Promise<Outcome> {
  const prefix = scratch.name("list/");
  const puts = await all(
    ODD.map(async (odd) => {
      const { name, key, body } = await trial(`list/${odd}`);
      const wanted = { method: "PUT", key: name, headers: customerKeyHeaders(key) };
      return scratch.write(name, (store) => store.ask(wanted, body));
    }),
  );
  const refusal = puts.find((answer) => !isDone(answer));
  if (refusal !== undefined)
    return warn(
      `an odd name is refused (${said(refusal)})`,
      "Objects with U+0085, U+2028 or U+2029 in their names cannot be stored there: nothing to do unless you have such.",
    );
  const wanted = ODD.map((odd) => prefix + odd).sort();
  const pages = await all([true, false].map((isEncoded) => pagesOf(store, prefix, isEncoded)));
  for (const [i, { refusal, names, isEnded, isEncoded }] of pages.entries()) {
    const asked = i === 0 ? "with encoding-type=url" : "without encoding-type";
    if (refusal !== undefined)
      return warn(
        `refused ${asked} (${said(refusal)})`,
        "Lists need ListBucket: allow it to the credentials.",
      );
    if (!isEnded)
      return bad(
        `${asked} it never ends`,
        "Its own continuation token leads back to where it was: the service ends such a list with an error. Keep U+0085, U+2028 and U+2029 out of names, or have the store upgraded.",
      );
    if (names.sort().join("\n") !== wanted.join("\n"))
      return bad(
        `${asked} other names come back than were stored`,
        "Objects with odd names are not found by their lists: keep control characters, % and + out of names there.",
      );
    if (i === 0 && !isEncoded)
      return warn(
        "encoding-type=url is ignored, the names come as they are",
        "Names with characters that XML cannot hold, as U+0001, are lost in lists: keep them out of names there.",
      );
  }
  return ok(`${ODD.length} odd names come back as they are, page by page`);
}

interface Pages {
  readonly refusal?: Answer;
  readonly names: string[];
  readonly isEnded: boolean;
  /** Whether the store said that it encoded the names. */
  readonly isEncoded: boolean;
}

/** More would be more than there is. */
const MAX_PAGES = ODD.length + 2;

const xml = new XMLParser({
  processEntities: true,
  htmlEntities: true,
  trimValues: false,
  parseTagValue: false,
  ignoreAttributes: true,
  isArray: (name) => name === "Contents",
});

interface Listed {
  readonly ListBucketResult?: {
    readonly Contents?: readonly { readonly Key: string }[];
    readonly EncodingType?: string;
    readonly NextContinuationToken?: string;
    readonly IsTruncated?: string;
  };
}

async function pagesOf(store: StoreClient, prefix: string, isAskedToEncode: boolean): Promise<Pages> {
  const names: string[] = [];
  let isEncoded = true;
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = {
      "list-type": "2",
      "max-keys": "1",
      prefix,
      ...(isAskedToEncode && { "encoding-type": "url" }),
      ...(token !== undefined && { "continuation-token": token }),
    };
    const answer = await store.ask({ method: "GET", key: "", query });
    if (!isDone(answer)) return { refusal: answer, names, isEnded: true, isEncoded };
    const { ListBucketResult: listed = {} } = xml.parse(answer.body.toString()) as Listed;
    isEncoded &&= listed.EncodingType === "url";
    const decode = listed.EncodingType === "url" ? decodeURIComponentOf : (name: string) => name;
    names.push(...(listed.Contents ?? []).map(({ Key }) => decode(Key)));
    token = listed.NextContinuationToken;
    if (listed.IsTruncated !== "true" || token === undefined) return { names, isEnded: true, isEncoded };
  }
  return { names, isEnded: false, isEncoded };
}

/** A space is `+` or `%20` there. */
function decodeURIComponentOf(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", "%20"));
  } catch {
    return name;
  }
}
