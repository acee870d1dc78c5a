/** Answers as the HTTP client hands them over: of a runtime node, and of a token endpoint. */
import type { IncomingHttpHeaders } from 'node:http';
import type { HttpAnswer } from '../../functions/http/http.ts';

/** Of a real flow's form: 28 characters. */
export const MPL_ID = 'AGpyvUXKUZJ-xCKXdYXps-l8FDTq';
/** What a flow answers that threw an exception. */
export const EXCEPTION = `An internal server error occured: The MPL ID for the failed message is : ${MPL_ID}`;

/** @param body an object goes out as JSON */
export function answer(status: number, body: string | object = '', headers: IncomingHttpHeaders = {}): HttpAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers, body: Buffer.from(text), truncated: false };
}

/** 200 of a token endpoint, with a token. */
export function granted(accessToken: string, fields: object = {}, headers: IncomingHttpHeaders = {}): HttpAnswer {
  return answer(200, { access_token: accessToken, token_type: 'bearer', ...fields }, headers);
}

/** Every status from 100 to 599. */
export const STATUSES = Array.from({ length: 500 }, (_, index) => 100 + index);
