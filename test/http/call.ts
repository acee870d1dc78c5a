/** A call of the HTTP client as the relay makes one, and the error that it ends with. */
import http from 'node:http';
import { expect, vi } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import {
  createHttpClient,
  type HttpAnswer,
  type HttpClientOptions,
  type HttpRequest,
  type Send,
} from '../../functions/http/http.ts';

export function post(url: URL | string, fields: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'POST',
    url: new URL(url),
    headers: { Authorization: 'Bearer hunter22', 'Content-Type': 'text/plain' },
    body: payload('payload hunter22'),
    timeoutMs: 5_000,
    ...fields,
  };
}

export function payload(text: string) {
  const bytes = Buffer.from(text);
  return { bytes: bytes.byteLength, open: async () => bytes };
}

/** The error, which shows nothing of query, headers and payload. */
export async function failureOf(call: Promise<HttpAnswer>): Promise<RelayError> {
  const error = await call.then(
    ({ status }) => new Error(`expected an error, got ${status}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RelayError)) throw error;
  expect(error.message).not.toMatch(/hunter22|[\r\n]/);
  return error;
}

/** An answer, and whether its request went out again on the way to it. */
type AnswerAfter = HttpAnswer & { readonly resent: boolean };
type SendAndTell = ((request: HttpRequest) => Promise<AnswerAfter>) & Pick<Send, 'connect'>;

/** A client whose answers say whether the request went out again. */
export function createTellingClient(options?: HttpClientOptions): SendAndTell {
  return telling(createHttpClient(options));
}

function telling(send: Send): SendAndTell {
  const sendAndTell = async (request: HttpRequest) => {
    let resent = false;
    const onResend = () => {
      expect(resent).toBe(false);
      resent = true;
    };
    const answer = await send({ ...request, onResend });
    return { ...answer, resent };
  };
  return Object.assign(sendAndTell, send.connect === undefined ? {} : { connect: send.connect });
}

/** The client on the socket pool, and on the agent that stands in for it where Node's internals have changed. */
export const CLIENTS: readonly (readonly [name: string, create: (options?: HttpClientOptions) => SendAndTell])[] = [
  ['the socket pool', createTellingClient],
  ["Node's own agent", createClientOnPlainAgent],
];

/** Node has changed for as long as the client looks at it. */
function createClientOnPlainAgent(options: HttpClientOptions = {}): SendAndTell {
  const changed = vi.spyOn(http, 'request').mockImplementation(() => {
    throw new Error('changed');
  });
  const why: string[] = [];
  const send = createHttpClient({ ...options, onPlainAgent: (what) => why.push(what) });
  changed.mockRestore();
  expect(why).toEqual(['changed']);
  return telling(send);
}
