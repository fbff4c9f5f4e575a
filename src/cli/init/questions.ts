/** The few things that `ssec init` needs to know: from flags, or asked for at a terminal. */
import { isPlain } from "../edit/dev-vars.ts";
import { type Answers, type Field, faultIn } from "./setup.ts";
import { endpointOf, KNOWN_STORES, type KnownStore } from "./stores.ts";

/** What the command line says already. */
export interface Given {
  readonly store?: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly bucket?: string;
  readonly caller?: string;
  readonly prefix?: string;
  readonly origin?: readonly string[];
}

/** Someone at the terminal wants out. Nothing has been written by then. */
export class Cancelled extends Error {
  override name = "Cancelled";
}

const QUESTIONS: Record<Exclude<Field, "origins">, string> = {
  endpoint: "Its endpoint",
  region: "Region, as the store spells it",
  bucket: "Bucket (it must be there already)",
  caller: "A name for the first caller, who gets a token",
  prefix: "What the caller's object keys begin with (nothing: the whole bucket)",
};

/** The answers, as far as flags and defaults give them; what nobody said is an empty string. */
export function answersFrom(given: Given, store: KnownStore): Answers {
  const region = given.region ?? store.region;
  return {
    store,
    region,
    endpoint: given.endpoint ?? endpointOf(store, region) ?? "",
    bucket: given.bucket ?? "",
    caller: given.caller ?? "app",
    prefix: given.prefix ?? "",
    origins: given.origin ?? [],
  };
}

/** @throws {Cancelled} on Ctrl-C */
export async function ask(given: Given): Promise<Answers> {
  const { select, text } = await prompts();
  const options = KNOWN_STORES.map(({ id, label }) => ({ value: id, label }));
  const id = given.store ?? (await asked(select({ message: "Where are the objects?", options, output })));
  let answers = answersFrom(given, storeNamed(id));
  // A region decides the endpoint of some stores, so that it comes first.
  for (const field of ["region", "endpoint", "bucket", "caller", "prefix"] as const) {
    if (given[field] !== undefined) continue;
    if (field === "endpoint" && answers.store.endpoint !== undefined) continue;
    const value = await askFor(field, answers);
    answers =
      field === "region"
        ? answersFrom({ ...given, region: value }, answers.store)
        : { ...answers, [field]: value };
  }
  if (given.origin !== undefined) return answers;
  const origins = await asked(
    text({
      message: "Origins of pages that may call the API, with commas between them (nothing: none)",
      placeholder: "https://app.example.com",
      output,
      validate: (value) => faultIn("origins", { ...answers, origins: listed(value) }),
    }),
  );
  return { ...answers, origins: listed(origins) };
}

/** Asks for a secret without showing it; undefined when it shall be added later. */
export async function askSecret(name: string): Promise<string | undefined> {
  const { password } = await prompts();
  const value = await asked(
    password({
      message: `${name} (nothing: you add it later)`,
      output,
      validate: (value) =>
        value && !isPlain(value) ? "holds what .dev.vars cannot carry plainly" : undefined,
    }),
  );
  return value || undefined;
}

/** @throws with the names of those that are known */
export function storeNamed(id: string): KnownStore {
  const store = KNOWN_STORES.find((known) => known.id === id);
  if (store === undefined)
    throw new Error(`no store "${id}" (known: ${KNOWN_STORES.map(({ id }) => id).join(", ")})`);
  return store;
}

async function askFor(field: keyof typeof QUESTIONS, answers: Answers): Promise<string> {
  const { text } = await prompts();
  const { example } = answers.store;
  const value = await asked(
    text({
      message: QUESTIONS[field],
      output,
      initialValue: answers[field],
      ...(field === "endpoint" && example && { placeholder: example }),
      validate: (value = "") => faultIn(field, { ...answers, [field]: value }),
    }),
  );
  // Nothing at all is what the library makes of Enter alone.
  return value ?? "";
}

/** Standard output may be a file, in which nobody would see a question. */
const output = process.stderr;

/** Only a person at a terminal is asked. */
const prompts = () => import("@clack/prompts");

async function asked<T>(question: Promise<T>): Promise<Exclude<T, symbol>> {
  const { isCancel } = await prompts();
  const answer = await question;
  if (isCancel(answer)) throw new Cancelled("cancelled; nothing was changed");
  return answer as Exclude<T, symbol>;
}

function listed(text = ""): string[] {
  return text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}
