/** The same request as a line for curl, to copy into a shell: with its credentials, which hold as long as they do. */
import type { SendRequest } from './request.ts';

export function curlLine({ method, url, headers, body }: SendRequest): string {
  const text = body.toString();
  const isText = Buffer.from(text).equals(body) && !text.includes('\0');
  const parts = [
    'curl -i',
    ...(method === 'POST' && body.byteLength > 0 ? [] : [`-X ${method}`]),
    quoted(url.href),
    // With a semicolon curl sends a header that has no value.
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(value === '' ? `${name};` : `${name}: ${value}`)}`),
    ...(body.byteLength === 0 ? [] : [isText ? `--data-raw ${quoted(text)}` : '--data-binary @-']),
  ];
  const line = parts.join(' ');
  return isText ? line : `printf %s ${quoted(body.toString('base64'))} | base64 -d | ${line}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
