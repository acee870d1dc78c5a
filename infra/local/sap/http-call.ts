/**
 * How an emulated system calls another one: a request as data, and its answer. `httpCall` sends it over a socket; a
 * simulation hands in the other system's `answer` in its place. What is asked is for the caller.
 */
import { request as sendHttp } from 'node:http';
import { request as sendHttps } from 'node:https';
import type { Answer, Request } from '../server/server.ts';

/** Gives the answer, whatever its status; rejects when there is none. */
export type Call = (request: Request) => Promise<Answer>;

/** A request as a server would have read it. Header names are to be lower-case. */
export function requestTo(
  method: string,
  target: string,
  { headers = {}, body = '' }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
): Request {
  const [path = '/', search = ''] = target.split('?', 2);
  const rawHeaders = Object.entries(headers).flat();
  return { method, path, query: new URLSearchParams(search), target, headers, rawHeaders, body: Buffer.from(body) };
}

/**
 * Calls the server at `url`, each time over a new connection, so that no earlier stop of it shows itself later. For
 * HTTPS `ca` (PEM) is the authority that is trusted.
 */
export function httpCall(url: string, { timeoutMs, ca }: { readonly timeoutMs: number; readonly ca?: string }): Call {
  const sendRequest = url.startsWith('https:') ? sendHttps : sendHttp;
  return ({ method, target, headers, body }) =>
    new Promise((resolve, reject) => {
      const outgoing = sendRequest(
        `${url}${target}`,
        { method, headers, agent: false, signal: AbortSignal.timeout(timeoutMs), ...(ca === undefined ? {} : { ca }) },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', reject);
          incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) }));
        },
      );
      outgoing.once('error', reject);
      outgoing.end(body);
    });
}
