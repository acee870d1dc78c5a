/** An endpoint with CSRF protection that renews its sessions with each answer, as servers other than SAP's do. */

import type { HttpAnswer, HttpRequest, Send } from '../../functions/http/http.ts';
import { answer } from '../doubles/answer.ts';
import { turn } from '../doubles/time.ts';

/** With each message that is let in: the session's id, and its token too, which stands in the answer or does not. */
export type Renewal = 'id' | 'id and token' | 'id and secret token';

export interface RenewingEndpoint {
  readonly send: Send;
  /** `HEAD`, `GET`, or the status of a message. */
  readonly seen: (string | number)[];
  /** Told of each message that comes with a session: its answer is lost where this says so. */
  onMessage: () => 'lost' | undefined;
}

export function createRenewingEndpoint(renewal: Renewal): RenewingEndpoint {
  /** Id → token. */
  const sessions = new Map<string, string>();
  let made = 0;

  const setCookie = (id: string) => [`JSESSIONID=${id}; Path=/; HttpOnly`];

  /** What a server has done when it answers it has done at once; the answer is on its way for a while. */
  async function send({ method, headers }: HttpRequest): Promise<HttpAnswer> {
    const got = handle(method, headers);
    await turn();
    if (got === 'lost') throw new Error('no answer');
    return got;
  }

  function handle(method: string, headers: HttpRequest['headers']): HttpAnswer | 'lost' {
    made += 1;
    if (headers['X-CSRF-Token'] === 'Fetch') {
      endpoint.seen.push(method);
      sessions.set(`s${made}`, `t${made}`);
      return answer(200, '', { 'x-csrf-token': `t${made}`, 'set-cookie': setCookie(`s${made}`) });
    }
    const id = /^JSESSIONID=(\w+)$/.exec(headers.Cookie ?? '')?.[1] ?? '';
    const token = sessions.get(id);
    const isLetIn = token !== undefined && token === headers['X-CSRF-Token'];
    endpoint.seen.push(isLetIn ? 200 : 403);
    // A session of its own for the refused, too, which is good for nothing.
    if (!isLetIn) return answer(403, '', { 'x-csrf-token': 'Required', 'set-cookie': setCookie(`u${made}`) });
    sessions.delete(id);
    sessions.set(`s${made}`, renewal === 'id' ? token : `t${made}`);
    if (endpoint.onMessage() === 'lost') return 'lost';
    const told = renewal === 'id and token' ? { 'x-csrf-token': `t${made}` } : {};
    return answer(200, '', { ...told, 'set-cookie': setCookie(`s${made}`) });
  }

  const endpoint: RenewingEndpoint = { send, seen: [], onMessage: () => undefined };
  return endpoint;
}
