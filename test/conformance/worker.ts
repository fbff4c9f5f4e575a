/**
 * The Worker as it is, and an operator beside it: a suite makes and removes buckets as it goes, and here those are lines of
 * BUCKETS, which an operator writes. Whatever else is asked, the Worker answers.
 */
import { AwsClient } from "aws4fetch";
import worker from "../../src/index.ts";

interface Env {
  readonly BUCKETS: Record<string, object>;
  readonly CALLERS: { readonly suite: { readonly token: string } };
  readonly ID: string;
  readonly SECRET: string;
  readonly STORE_URL: string;
}

const buckets = new Set<string>();
let now: Env | undefined;

export default {
  async fetch(request: Request, env: Env, context: unknown): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const [, bucket] = /^\/([^/]+)\/?$/.exec(pathname) ?? [];
    const isSigned = request.headers.get("authorization")?.startsWith("AWS4-HMAC-SHA256 ");
    if (bucket !== undefined && search === "" && isSigned && ["PUT", "DELETE"].includes(request.method)) {
      const store = new AwsClient({
        accessKeyId: env.ID,
        secretAccessKey: env.SECRET,
        region: "us-east-1",
        service: "s3",
      });
      const answer = await store.fetch(`${env.STORE_URL}/${bucket}`, { method: request.method });
      if (answer.ok && request.method === "PUT") buckets.add(bucket);
      now = configured(env);
      return answer;
    }
    now ??= configured(env);
    return worker.fetch(request, now as never, context as never);
  },
};

function configured(env: Env): Env {
  const names = [...buckets];
  const allow = ["read", "write", "delete"];
  return {
    ...env,
    BUCKETS: Object.fromEntries(names.map((name) => [name, { store: "main", keys: ["k1"] }])),
    CALLERS: {
      suite: {
        ...env.CALLERS.suite,
        grants: names.map((bucket) => ({ bucket, prefix: "", allow, maxExpiresIn: 604_800 })),
      },
    } as Env["CALLERS"],
  };
}
