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
/** Digits inside a word: fewer are in any payload by chance. */
const MIN_DIGITS = 3;
/** Fewer characters that were grouped otherwise in the payload (`DE89 3704 0044`) are there by chance, too. */
const MIN_COMPACT = 6;
/** Written without a space between words, so that each character may be one. */
const SPACELESS = String.raw`[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]`;
const IS_SPACELESS = new RegExp(SPACELESS, 'u');
const PARTS = new RegExp(String.raw`${SPACELESS}\p{M}*|\p{N}+|(?:(?!${SPACELESS})[\p{L}\p{M}])+`, 'gu');
const HAS_NUMBER = /\p{N}/u;
const IS_NUMBER = /^\p{N}/u;
const WORDS = /[\p{L}\p{M}\p{N}]+/gu;

/**
 * The text in one line, with `…` for each word that stands in the payload, too.
 *
 * @returns undefined if nothing may be told, since the payload cannot be held against it: too large, compressed, in an
 * unknown encoding, or not to be had any more
 */
export async function told(text: string, message: Message, { accessToken }: Token): Promise<string | undefined> {
  const payload = await readPayload(message);
  if (payload === undefined) return undefined;
  const standsIn = wordsIn(payload);
  const line = unified(text.slice(0, LOOKED_AT_CHARACTERS))
    .replace(/[\p{C}\s"]+/gu, ' ')
    .trim();
  const maskedPart = (part: string) =>
    standsIn(part) && !(IS_NUMBER.test(part) && part.length < MIN_DIGITS) ? '…' : part;
  const masked = line.replace(/[\p{L}\p{M}\p{N}_]+/gu, (joined) => {
    if (joined.length > MAX_WORD) return '…';
    return joined.replace(WORDS, (word) => {
      const isSecret = word.length >= MIN_TOKEN_PART && accessToken.includes(word);
      return isSecret || standsIn(word) ? '…' : word.replace(PARTS, maskedPart);
    });
  });
  const characters = [...masked.replace(/…{2,}/g, '…')];
  return characters.length > MAX_CHARACTERS
    ? `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`
    : characters.join('');
}

/** Tells which words stand in the payload; each is searched once, since the payload may be long. */
function wordsIn(payload: string): (word: string) => boolean {
  let words: ReadonlySet<string> | undefined;
  let compact: string | undefined;
  const known = new Map<string, boolean>();

  function isIn(word: string): boolean {
    // Every number may be the payload's; of letters only whole words: `not` is no part of `Note`, and two are anyone's.
    const hasNumber = HAS_NUMBER.test(word);
    if (word.length < MIN_PART && !hasNumber && !IS_SPACELESS.test(word)) {
      words ??= new Set(payload.match(WORDS));
      return word.length > 2 && words.has(word);
    }
    if (payload.includes(word)) return true;
    if (!hasNumber || word.length < MIN_COMPACT) return false;
    compact ??= payload.replace(/[^\p{L}\p{N}]+/gu, '');
    return compact.includes(word);
  }

  return (written) => {
    const word = written.toLowerCase();
    const isThere = known.get(word) ?? isIn(word);
    known.set(word, isThere);
    return isThere;
  };
}

/** One way to write what reads the same; without the characters that nobody sees. */
function unified(text: string): string {
  return text.replace(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, '').normalize('NFC');
}

/** The payload as a text to search in: lower case, as it is and with what is escaped in it resolved. */
async function readPayload(message: Message): Promise<string | undefined> {
  const { body, contentType, headers } = message;
  if (body.bytes > MAX_PAYLOAD_BYTES || !/^(identity)?$/i.test(headers['content-encoding'] ?? '')) return undefined;
  // The endpoint has answered by now: what becomes of the message must not depend on reading it once more.
  const bytes = await bytesOf(body).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const text = decoded(
    bytes,
    isUtf8(bytes) ? (charsetIn(bytes) ?? 'utf-8') : (charsetOf(contentType) ?? charsetIn(bytes) ?? ''),
    true,
  );
  // ASCII in UTF-16 is valid UTF-8, too, with a NUL beside each character.
  const plain = text?.replaceAll('\0', '');
  return plain === undefined ? undefined : unified([plain, unescaped(plain)].join('\n')).toLowerCase();
}

/** Character references of XML, escapes of JSON (also of JSON in JSON) and of URLs. */
function unescaped(text: string): string {
  return text
    .replace(/&#x([\da-f]{1,6});|&#(\d{1,7});|\\+u([\da-f]{4})/gi, (whole, hex, decimal, json) => {
      const point = Number.parseInt(hex ?? json ?? decimal, decimal === undefined ? 16 : 10);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    })
    .replace(/\\+[bfnrt]/g, ' ')
    .replace(/(?:%[\da-f]{2})+/gi, (escaped) => Buffer.from(escaped.replaceAll('%', ''), 'hex').toString());
}

/** All of a body; it can be opened again after that. */
export async function bytesOf(body: Message['body']): Promise<Buffer> {
  const opened = await body.open();
  if (opened instanceof Uint8Array) return Buffer.from(opened.buffer, opened.byteOffset, opened.byteLength);
  const chunks: Buffer[] = [];
  for await (const chunk of opened) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
