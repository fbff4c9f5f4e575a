/** What a person at a terminal sees: colours where they are wanted, and questions. */
import { clearLine, cursorTo } from "node:readline";
import { styleText } from "node:util";
import { confirm as ask, isCancel } from "@clack/prompts";

type Style = Parameters<typeof styleText>[0];

/** Text for standard output; plain where that is no terminal, or NO_COLOR is set (https://no-color.org). */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** What an object key or a store's answer may hold must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\ufffd");
}

/** Text in lines that fit the terminal, each behind the indent; in one where that is none. */
export function wrapped(text: string, indent: string): string {
  const width = (process.stdout.columns ?? Number.POSITIVE_INFINITY) - indent.length;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => indent + line).join("\n");
}

/** Shows what is being done, in one line that the next replaces; nothing where nobody watches. */
export function progress(doing: string): void {
  if (!process.stderr.isTTY) return;
  clearLine(process.stderr, 0);
  cursorTo(process.stderr, 0);
  process.stderr.write(doing.slice(0, process.stderr.columns - 1));
}

/**
 * Whether the operator agrees. Where nobody can be asked, only `--yes` agrees.
 *
 * @throws when there is neither a terminal nor `yes`
 */
export async function agree(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new Error("nobody is here to be asked: give --yes");
  const answer = await ask({ message: question, initialValue: false, output: process.stderr });
  return !isCancel(answer) && answer;
}

/** Why a command ends. Any other error ends it as `failed`. */
export const EXIT = {
  /** Something is not as it should be: a check is red, or the service or the store refused. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Ctrl-C. */
  interrupted: 130,
} as const;
