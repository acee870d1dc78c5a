/**
 * What an endpoint says in an error, made fit for a log line: one line, short, and without the message's own words. A
 * flow may well quote what it was sent; the name of a person in a payload must not reach a log that way.
 */
import { isUtf8 } from 'node:buffer';
import type { Token } from '../../token/token-endpoint.ts';
import type { Message } from '../message.ts';
import { charsetIn, charsetOf, decoded } from './charset.ts';

const MAX_CHARACTERS = 200;
/** Before white space is made one and characters outside the first plane count as one: the rest is never looked at. */
const LOOKED_AT_CHARACTERS = 500;
/** A payload beyond this is not held against an error's text: of that then nothing is told. */
const MAX_PAYLOAD_BYTES = 1_048_576;
/** A word this long is no word: a token, a key, encoded bytes. */
const MAX_WORD = 40;
/** Shorter ones are in any token by chance. */
const MIN_TOKEN_PART = 8;
/** Longer ones may be a part of a longer word of the payload. */
const MIN_PART = 5;
const IN_WORD = /[\p{L}\p{M}\p{N}_]/u;

/**
 * The text in one line, with `…` for each word that stands in the payload, too.
 *
 * @returns undefined if nothing may be told, since the payload cannot be held against it: too large, compressed, or in an
 * unknown encoding
 */
export async function told(text: string, message: Message, { accessToken }: Token): Promise<string | undefined> {
  const own = await wordsOf(message);
  if (own === undefined) return undefined;
  const line = text
    .slice(0, LOOKED_AT_CHARACTERS)
    .replace(/[\p{C}\s"]+/gu, ' ')
    .trim();
  const masked = line.replace(/[\p{L}\p{M}\p{N}_]+/gu, (word) => {
    // Every number may be the payload's; a word of one or two letters is anyone's.
    const counts = word.length > 2 || /\p{N}/u.test(word);
    const isPayload = counts && standsIn(own, word.toLowerCase());
    const isSecret = word.length > MAX_WORD || (word.length >= MIN_TOKEN_PART && accessToken.includes(word));
    return isPayload || isSecret ? '…' : word;
  });
  const characters = [...masked];
  return characters.length > MAX_CHARACTERS ? `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…` : masked;
}

/** A short word only as a whole one: `not` is no part of `Note`. */
function standsIn(text: string, word: string): boolean {
  const isAnywhere = word.length >= MIN_PART || /\p{N}/u.test(word);
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (isAnywhere || !(IN_WORD.test(text[at - 1] ?? '') || IN_WORD.test(text[at + word.length] ?? ''))) return true;
  }
  return false;
}

/** The payload as a text to search in: lower case, character references of XML and JSON resolved. */
async function wordsOf({ body, contentType, headers }: Message): Promise<string | undefined> {
  if (body.bytes > MAX_PAYLOAD_BYTES || !/^(identity)?$/i.test(headers['content-encoding'] ?? '')) return undefined;
  const bytes = await bytesOf(body);
  const text = decoded(
    bytes,
    isUtf8(bytes) ? (charsetIn(bytes) ?? 'utf-8') : (charsetOf(contentType) ?? charsetIn(bytes) ?? ''),
    true,
  );
  return text
    ?.replace(/&#x([\da-f]{1,6});|&#(\d{1,7});|\\u([\da-f]{4})/gi, (whole, hex, decimal, json) => {
      const point = Number.parseInt(hex ?? json ?? decimal, decimal === undefined ? 16 : 10);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    })
    .toLowerCase();
}

/** All of a body; it can be opened again after that. */
export async function bytesOf(body: Message['body']): Promise<Buffer> {
  const opened = await body.open();
  if (opened instanceof Uint8Array) return Buffer.from(opened.buffer, opened.byteOffset, opened.byteLength);
  const chunks: Buffer[] = [];
  for await (const chunk of opened) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
