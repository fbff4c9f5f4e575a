/** What a person at a terminal sees: colours where they are wanted, and questions. */
import { clearLine, cursorTo } from "node:readline";
import { styleText } from "node:util";
import { quoted as plainlyQuoted, ssec } from "./called-as.ts";

type Style = Parameters<typeof styleText>[0];

/** Text for standard output; plain where that is no terminal, or NO_COLOR is set (https://no-color.org). */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** Controls, lone surrogates, line separators, and what turns the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What an object key or a store's answer may hold must not steer the terminal: it is shown as `\x1b`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** The same for text of several lines. */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === "\n" ? character : escaped(character)));
}

function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
}

/** What this command was given, after the program's name. */
export const given: {
  args: readonly string[];
  /** Of these, what stands before the command and holds for others as well: `--config`, `--env` and `--url`. */
  globals: readonly string[];
} = { args: [], globals: [] };

/** A command that does the same as this one did, with more options, ready to paste. */
export function thisCommandWith(...more: readonly string[]): string {
  return [ssec(), ...[...given.args, ...more].map(quoted)].join(" ");
}

/** Another command, about the same configuration and the same Worker, ready to paste. */
export function nextCommand(...words: readonly string[]): string {
  return [ssec(), ...[...given.globals, ...words].map(quoted)].join(" ");
}

function quoted(word: string): string {
  if (printable(word) === word) return plainlyQuoted(word);
  const inner = word
    .replace(/[\\']/g, "\\$&")
    .replace(UNPRINTABLE, (character) =>
      [...new TextEncoder().encode(character)]
        .map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`)
        .join(""),
    );
  return `$'${inner}'`;
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

/** Takes away what is drawn in the line that a terminal is at, so that something can be said there. */
export function hideBar(): void {
  if (!process.stderr.isTTY) return;
  cursorTo(process.stderr, 0);
  clearLine(process.stderr, 1);
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
export async function agree(question: string, yes: boolean, initialValue = false): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new Error("nobody is here to be asked: give --yes");
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message: question, initialValue, output: process.stderr });
  return !isCancel(answer) && answer;
}

/** What is wrong, and apart from it what to do about it, which of many alike is said once. */
export class HintedError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Why a command ends. Any other error ends it as `failed`. */
export const EXIT = {
  /** Something is not as it should be: a check is red, or the service or the store refused. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Ctrl-C. */
  interrupted: 130,
  /** Whoever read standard output has gone, as a shell reports it of others: `ssec ls … | head`. */
  unread: 141,
} as const;
