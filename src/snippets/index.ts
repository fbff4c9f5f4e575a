/** A presigned request as something to paste: a command for a shell, or a program. */
import { curl } from "./curl.ts";
import { httpie } from "./httpie.ts";
import { javascript } from "./javascript.ts";
import { kotlin } from "./kotlin.ts";
import { python } from "./python.ts";
import type { PresignedRequest } from "./request.ts";
import { swift } from "./swift.ts";

const LANGUAGES = { curl, python, javascript, httpie, kotlin, swift };

export type SnippetLanguage = keyof typeof LANGUAGES;

/** The text of a command or program that sends `request` and does with the answer what its operation is for. */
export function snippet(language: SnippetLanguage, request: PresignedRequest): string {
  return LANGUAGES[language](request);
}
