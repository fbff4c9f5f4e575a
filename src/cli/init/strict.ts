/** Whether a store that may take headers which nobody signed does, as far as that can be tried before it is configured. */

import { loadConfig } from "../../config/load.ts";
import { ssec } from "../called-as.ts";
import { addedIn } from "../check/live.ts";
import { type Answers, credentialsOf, varsOf } from "./setup.ts";

/** What one request may take, milliseconds. */
const TIME_LIMIT = 5000;

export interface Strictness {
  /** Certain, and so no reason to keep presigned uploads from anybody. */
  readonly isStrict: boolean;
  /** In a line. */
  readonly why: string;
}

export async function isStrict(
  answers: Answers,
  secrets: Readonly<Record<string, string | undefined>>,
): Promise<Strictness> {
  const { store, bucket: name } = answers;
  const names = credentialsOf(store);
  const [accessKeyId, secretAccessKey] = [secrets[names.accessKeyId], secrets[names.secretAccessKey]];
  if (!accessKeyId || !secretAccessKey) return unknown(answers, "its credentials are not here yet");
  const bucket = loadConfig({ ...varsOf(answers) }).buckets.get(name);
  if (bucket === undefined) return unknown(answers, "there is no bucket to try it in");
  const limits = { timeLimit: TIME_LIMIT, interrupted: new AbortController().signal };
  const added = await addedIn(bucket, { accessKeyId, secretAccessKey }, limits);
  if (added === undefined) return unknown(answers, "it does not answer, or takes no upload");
  if (added.taken.length === 0 && added.unclear.length === 0)
    return {
      isStrict: true,
      why: "presigned uploads stay on: the store was seen to refuse headers that nobody signed",
    };
  return {
    isStrict: false,
    why: `presignedUploads = false: the store was seen to take headers that nobody signed, and so lets whoever holds a presigned upload read any object. ${INSTEAD}`,
  };
}

function unknown({ store }: Answers, reason: string): Strictness {
  return {
    isStrict: false,
    why: `presignedUploads = false: there are versions of ${store.label} that take headers which nobody signed, and so let whoever holds a presigned upload read any object; whether this one does was not tried, for ${reason}. ${INSTEAD} When \`${ssec()} check --live\` finds "added headers" green, take the line out.`,
  };
}

const INSTEAD = "Uploads go through the edge or by PostObject: docs/stores.md.";
