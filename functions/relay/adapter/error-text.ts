/**
 * How much of an endpoint's error is written: its code into a log line; its text, which may quote the payload, only
 * into a dead letter, which contains the payload anyway. Neither with any part of the token.
 */
import type { Token } from '../../token/token-endpoint.ts';

const CODE = /^[\w./-]{1,40}$/;
const MAX_CHARACTERS = 1_000;
/** Shorter texts may be in a token by chance. */
const TOKEN_PART_CHARACTERS = 8;
/** No word is that long, but tokens, keys and encoded bytes are. */
const TOO_LONG_FOR_A_WORD = /[\w+=-]{41,}/g;

/** @returns undefined for words instead of a code, or if a part of the token is in it */
export function codeForLog(code: string, { accessToken }: Token): string | undefined {
  return CODE.test(code) && withoutParts(code, accessToken) === code ? code : undefined;
}

/** One line, with `…` for what is left out. @returns undefined if nothing is left */
export function textForLetter(text: string, { accessToken }: Token): string | undefined {
  const line = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  const isWhole = line.length <= MAX_CHARACTERS;
  // A character beyond U+FFFF is two code units, which are not separated.
  const short = isWhole ? line : `${line.slice(0, MAX_CHARACTERS - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
  return withoutParts(short, accessToken).replace(TOO_LONG_FOR_A_WORD, '…') || undefined;
}

function withoutParts(text: string, token: string): string {
  const isPart = (at: number) =>
    at + TOKEN_PART_CHARACTERS <= text.length && token.includes(text.slice(at, at + TOKEN_PART_CHARACTERS));
  let kept = '';
  for (let at = 0; at < text.length; at += 1) {
    if (!isPart(at)) {
      kept += text[at];
      continue;
    }
    while (isPart(at + 1)) at += 1;
    at += TOKEN_PART_CHARACTERS - 1;
    kept += '…';
  }
  return kept;
}
