/** What a user does with the client, in whatever runtime this runs; an answer of `[]` means that all of it went well. */
import { createClient, SsecError } from "../../src/client/index.ts";

export interface Scenario {
  readonly url: string;
  readonly token: string;
  /** What all keys begin with. */
  readonly prefix: string;
}

const MiB = 2 ** 20;

/** What was not as it should be, a line each. */
export async function play({ url, token, prefix }: Scenario): Promise<string[]> {
  const faults: string[] = [];
  const expect = (name: string, is: unknown, should: unknown) => {
    const [a, b] = [JSON.stringify(is), JSON.stringify(should)];
    if (a !== b) faults.push(`${name}: ${a?.slice(0, 200)} instead of ${b?.slice(0, 200)}`);
  };
  const files = createClient({ url, token: async () => token });
  const bucket = "media";
  const partSize = 5 * MiB;
  const large = bytes(5 * MiB + 17);
  const text = "Grüße, ☁";

  const progress: number[] = [];
  const put = await files.upload(large, {
    bucket,
    key: `${prefix}large.bin`,
    partSize,
    sha256: true,
    contentType: "application/x-large",
    metadata: { colour: "blue" },
    onProgress: ({ loaded, total }) => progress.push(loaded, total ?? -1),
  });
  expect("upload in parts", [put.size, put.keyId], [large.length, "k1"]);
  expect("progress ends with all", progress.slice(-2), [large.length, large.length]);
  const head = await files.head({ bucket, key: `${prefix}large.bin` });
  expect(
    "head",
    [head.size, head.contentType, head.metadata.colour, head.etag, head.keyId],
    [large.length, "application/x-large", "blue", put.etag, "k1"],
  );
  const got = await files.download({ bucket, key: `${prefix}large.bin`, sha256: true });
  expect("download's size", got.size, large.length);
  expect("download", await same(await got.bytes(), large), true);

  for (const via of ["store", "edge"] as const) {
    const object = { bucket, key: `${prefix}${via}/a b+c ü.txt`, via };
    const written = await files.upload(text, { ...object, contentType: "text/plain; charset=utf-8" });
    expect(`${via}: size`, written.size, new TextEncoder().encode(text).length);
    const read = await files.download(object);
    expect(`${via}: type`, read.contentType, "text/plain; charset=utf-8");
    expect(`${via}: text`, await read.text(), text);
    const part = await files.download({ ...object, range: { start: 2, end: 4 } });
    expect(`${via}: range`, [part.status, (await part.bytes()).length], [206, 3]);
    const again = files.upload("other", { ...object, ifNoneMatch: "*" });
    expect(`${via}: what is there stays`, await codeOf(again), "precondition-failed");
  }

  const streamed = new Blob([large]).stream() as ReadableStream<Uint8Array>;
  const fromStream = await files.upload(streamed, { bucket, key: `${prefix}stream`, partSize });
  expect("stream", fromStream.size, large.length);
  const short = new Blob([text]).stream() as ReadableStream<Uint8Array>;
  expect("short stream", (await files.upload(short, { bucket, key: `${prefix}short` })).size, 12);
  expect("empty", (await files.upload("", { bucket, key: `${prefix}empty` })).size, 0);
  expect("empty, read", await (await files.download({ bucket, key: `${prefix}empty` })).text(), "");

  const listed = await files.list({ bucket, prefix, limit: 2 });
  const rest = await files.list({
    bucket,
    prefix,
    limit: 100,
    ...(listed.cursor && { cursor: listed.cursor }),
  });
  expect("list", [listed.objects.length, rest.objects.length], [2, 4]);
  const folders = await files.list({ bucket, prefix, delimiter: "/" });
  expect("folders", folders.prefixes, [`${prefix}edge/`, `${prefix}store/`]);

  const presigned = await files.presign({ operation: "DeleteObject", bucket, key: `${prefix}short` });
  expect("presign", presigned.method, "DELETE");
  await files.remove({ bucket, key: `${prefix}short` });
  expect("removed", await codeOf(files.head({ bucket, key: `${prefix}short` })), "not-found");

  expect("a bucket of nobody", await codeOf(files.list({ bucket: "others" })), "forbidden");
  const stranger = createClient({ url, token: "wrong" });
  expect("a stranger", await codeOf(stranger.list({ bucket })), "unauthenticated");
  const ended = files.upload(large, { bucket, key: `${prefix}ended`, signal: AbortSignal.abort() });
  expect("ended by its signal", await codeOf(ended), "AbortError");
  return faults;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "nothing went wrong";
  } catch (error) {
    return error instanceof SsecError ? error.code : (error as Error).name;
  }
}

async function same(a: Uint8Array, b: Uint8Array): Promise<boolean> {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Others at each place, so that parts in another order would show. */
function bytes(length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761);
  return new Uint8Array(words.buffer, 0, length);
}
