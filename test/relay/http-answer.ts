/** An answer of a runtime node as the HTTP client hands it over, and a message and its deadline, for the relay's parts. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Deadline } from '../../functions/deadline.ts';
import type { HttpAnswer } from '../../functions/http/http.ts';
import type { Message } from '../../functions/message/message.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';

export const NOON = Date.UTC(2026, 0, 1, 12);
/** Of a real flow's form: 28 characters. */
export const MPL_ID = 'AGpyvUXKUZJ-xCKXdYXps-l8FDTq';
/** What a flow answers that threw an exception. */
export const EXCEPTION = `An internal server error occured: The MPL ID for the failed message is : ${MPL_ID}`;

export function answer(status: number, body = '', headers: IncomingHttpHeaders = {}): HttpAnswer {
  return { status, headers, body: Buffer.from(body), truncated: false, resent: false };
}

export function tokenOf(accessToken: string, fields: Partial<Token> = {}): Token {
  return { accessToken, issuedAt: NOON - 60_000, expiresAt: NOON + 3_540_000, expiryKnown: true, ...fields };
}

export function messageOf(fields: Partial<Message> = {}, payload = '{"order":4711}'): Message {
  const bytes = Buffer.from(payload);
  return { id: 'order-4711', headers: {}, body: { bytes: bytes.byteLength, open: async () => bytes }, ...fields };
}

export function deadlineOf(remainingMs = 30_000, signal = new AbortController().signal): Deadline {
  return { remainingMs: () => remainingMs, signal };
}
