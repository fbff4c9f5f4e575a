/** A presigned request as something to paste: a curl command, a Python program, a JavaScript program. */
import { curl } from "./curl.ts";
import { javascript } from "./javascript.ts";
import { python } from "./python.ts";
import type { PresignedRequest } from "./request.ts";

const LANGUAGES = { curl, python, javascript };

export type SnippetLanguage = keyof typeof LANGUAGES;

/** The text of a command or program that sends `request` and does with the answer what its operation is for. */
export function snippet(language: SnippetLanguage, request: PresignedRequest): string {
  return LANGUAGES[language](request);
}
