/** Texts of OData version 2: a body in parts, and an error in JSON. */

/** @param parts each with its headers */
export function multipart(boundary: string, parts: readonly string[]): string {
  return `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
}

export function jsonError(code: string, value: string): string {
  return JSON.stringify({ error: { code, message: { lang: 'en', value } } });
}
