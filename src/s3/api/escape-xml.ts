/**
 * Text as it stands in a document. What a parser would take for markup, or turn into another line break, is written as a
 * reference. Of control characters XML 1.0 knows tab and line breaks alone: others cannot be written.
 */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\t\n\r\u0085\u2028\u2029]/g, (c) => `&#${c.charCodeAt(0)};`);
}
