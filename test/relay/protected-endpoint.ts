/** An endpoint with CSRF protection as SAP's HTTPS sender shows it to its caller; every request is written down. */
import type { HttpAnswer, HttpRequest, Send } from '../../functions/http/http.ts';
import { answer } from '../doubles/answer.ts';

export interface ProtectedEndpoint {
  readonly send: Send;
  /** `HEAD`, `GET` or the method of the message; with the pair that came with it as `token/cookie`. */
  readonly seen: string[];
  readonly requests: HttpRequest[];
  /** Messages on which the flow ran. */
  ran: number;
  /** Ends every session: pairs that were handed out hold no longer. */
  endSessions(): void;
  /** Answers the fetch in its stead, where it gives an answer. */
  onFetch: (method: string, index: number) => HttpAnswer | Promise<HttpAnswer> | undefined;
  /** Answers a message in its stead, where it gives an answer. */
  onMessage: (index: number) => HttpAnswer | undefined;
}

export const REQUIRED = answer(403, '<html>', {
  'x-csrf-token': 'required',
  'set-cookie': ['JSESSIONID=unused; Path=/'],
});

export function createProtectedEndpoint(): ProtectedEndpoint {
  const valid = new Set<string>();
  let sessions = 0;

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    const { method, headers } = request;
    endpoint.requests.push(request);
    if (headers['X-CSRF-Token'] === 'Fetch') {
      endpoint.seen.push(method);
      const instead = await endpoint.onFetch(method, endpoint.seen.length);
      return instead ?? opened();
    }
    const pair = `${headers['X-CSRF-Token'] ?? ''}/${headers.Cookie ?? ''}`;
    endpoint.seen.push(`${method} ${pair}`);
    const instead = endpoint.onMessage(endpoint.seen.length);
    if (instead !== undefined) return instead;
    if (!valid.has(pair)) return REQUIRED;
    endpoint.ran += 1;
    return answer(200);
  }

  function opened(): HttpAnswer {
    sessions += 1;
    const cookies = [`JSESSIONID=s${sessions}; Path=/; Secure; HttpOnly`, `BIGip=rd%205+=/${sessions}; Path=/`];
    valid.add(`token${sessions}/JSESSIONID=s${sessions}; BIGip=rd%205+=/${sessions}`);
    return answer(200, '', { 'x-csrf-token': `token${sessions}`, 'set-cookie': cookies });
  }

  const endpoint: ProtectedEndpoint = {
    send,
    seen: [],
    requests: [],
    ran: 0,
    endSessions: () => valid.clear(),
    onFetch: () => undefined,
    onMessage: () => undefined,
  };
  return endpoint;
}

/** The pair of the n-th session, as a message shows it. */
export function pair(session: number): string {
  return `POST token${session}/JSESSIONID=s${session}; BIGip=rd%205+=/${session}`;
}
