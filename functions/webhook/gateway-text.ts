/**
 * Bodies that a gateway has spoiled before we saw them: AWS hands texts over as JSON strings, so it reads their bytes as
 * UTF-8, and what is none becomes U+FFFD. Of an old system's "Müller" in ISO-8859-1 "M\uFFFDller" is left.
 *
 * @see Amazon API Gateway Developer Guide, "Payload format version": a body is text, or base64 with `isBase64Encoded`
 */
import { charsetOf, declaredIn, encodingNamed } from '../relay/adapter/charset.ts';
import type { HttpEvent } from './event.ts';

/**
 * Whether characters were lost so: the request says that it is in another charset, and U+FFFD stands in what is left. One
 * that is in UTF-8 may hold this character, and one that names no charset may, too.
 */
export function isSpoiled({ isBodyText, headers, body }: HttpEvent): boolean {
  if (!isBodyText || body === undefined) return false;
  const charset = charsetOf(headers['content-type']) ?? declaredIn(beginningOf(body));
  return charset !== undefined && encodingNamed(charset) !== 'utf-8' && body.includes('\uFFFD');
}

/** The ASCII of it: of UTF-16, read as UTF-8, a zero byte is left beside each of these characters, and its mark is U+FFFD. */
function beginningOf(body: Buffer): string {
  return body
    .subarray(0, 400)
    .toString()
    .replaceAll(/[\0\uFEFF\uFFFD]/g, '');
}
