/** Calls through the CSRF handshake, against a protected endpoint, from which the tests of the handshake begin. */
import type { HttpRequest } from '../../functions/http/http.ts';
import { createCsrf } from '../../functions/relay/adapter/csrf.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { createProtectedEndpoint } from './protected-endpoint.ts';

/** What the endpoint sees of a message without a pair. */
export const BARE = 'POST /';

export function request(fields: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'POST',
    url: new URL('https://flows.example.com/http/orders?a=b'),
    headers: { Authorization: 'Bearer t', 'Content-Type': 'application/json', SAP_ApplicationID: '4711' },
    body: { bytes: 2, open: async () => Buffer.from('{}') },
    timeoutMs: 5_000,
    keepBytes: 100,
    ...fields,
  };
}

export function startHandshake(required: boolean) {
  const endpoint = createProtectedEndpoint();
  const csrf = createCsrf({ required, send: endpoint.send, maxCallMs: 5_000 });
  const calls = { count: 0 };
  const exchange = (identity: object, fields?: Partial<HttpRequest>, deadline = deadlineOf()) =>
    csrf.exchange(request(fields), {
      identity,
      deadline,
      onCall: () => {
        calls.count += 1;
      },
    });
  return { ...endpoint, endpoint, exchange, calls };
}
