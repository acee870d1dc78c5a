/**
 * Bodies that the gateway has damaged. AWS passes texts on as JSON strings: it decodes their bytes as UTF-8, and bytes
 * that are not UTF-8 become U+FFFD. "Müller" in ISO-8859-1 becomes "M\uFFFDller".
 *
 * @see Amazon API Gateway Developer Guide, "Payload format version": a body is text, or base64 with `isBase64Encoded`
 */
import { charsetOf, declaredIn, encodingNamed } from '../relay/adapter/charset.ts';
import type { HttpEvent } from './event.ts';

/**
 * Whether characters were lost: the request names another charset than UTF-8, and U+FFFD is in the body. In UTF-8, or
 * without a named charset, the sender may have meant this character.
 */
export function isSpoiled({ isBodyText, headers, body }: HttpEvent): boolean {
  if (!isBodyText || body === undefined) return false;
  const charset = charsetOf(headers['content-type']) ?? declaredIn(beginningOf(body));
  return charset !== undefined && encodingNamed(charset) !== 'utf-8' && body.includes('\uFFFD');
}

/** Its ASCII characters. Of UTF-16, decoded as UTF-8, a zero byte is next to each; its byte order mark is U+FFFD. */
function beginningOf(body: Buffer): string {
  return body
    .subarray(0, 400)
    .toString()
    .replaceAll(/[\0\uFEFF\uFFFD]/g, '');
}
