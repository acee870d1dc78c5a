/**
 * What Apache Tomcat 9 refuses before any servlet, filter or flow sees a request, by its defaults (seen at Tomcat
 * 9.0.83). What it says of paths that nothing serves, and of other errors, is for `runtime-answer.ts`.
 */
import type { Answer, Request } from '../../server/server.ts';
import { tomcatPage } from '../front.ts';

/** Of the request line and all headers, line ends and the empty line after them included (`maxHttpHeaderSize`). */
const maxHeadBytes = 8192;

/**
 * What RFC 3986 excludes from path and query, unless percent-encoded; line ends, which it excludes too, never get here.
 */
const excluded = /[^!-~]|["#<>[\\\]^`{|}]/;

/** 400 with a page, after which the connection is closed; undefined for a request that goes on. */
export function refusedByContainer(request: Request): Answer | undefined {
  if (headBytes(request) <= maxHeadBytes && !excluded.test(request.target)) return undefined;
  const page = tomcatPage(400, 'Bad Request');
  return { ...page, headers: { ...page.headers, Connection: 'close' } };
}

function headBytes({ method, target, rawHeaders }: Request): number {
  const requestLine = `${method} ${target} HTTP/1.1\r\n`.length;
  // Each name is followed by `: ` and each value by a line end; header values are Latin-1, one byte a character.
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, requestLine + 2);
}
