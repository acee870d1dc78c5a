/** A fetch of a CSRF token that gets no answer: the flow does not run on it, so that nothing can have been executed. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpRequest } from '../../functions/http/http.ts';
import { createAdapter } from '../../functions/relay/adapter/adapter.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import { relay } from '../../functions/relay/relay.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import { warm } from '../../functions/warm/warm.ts';
import { answer } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { messageOf } from '../doubles/message.ts';
import { NOON } from '../doubles/time.ts';
import { tokenOf } from '../doubles/token.ts';
import { REQUIRED } from './protected-endpoint.ts';

const now = () => NOON;

function destinationWith(csrf: boolean) {
  const written = { secret: 'cpi/orders', url: 'https://flows.example.com/http/orders', csrf };
  const read = readSettings({ DESTINATIONS: JSON.stringify({ orders: written }) }).destinations.get('orders');
  if (read === undefined || 'error' in read) throw new Error('no destination');
  return read;
}

describe.each(['TIMED_OUT', 'CONNECTION_FAILED', 'DEADLINE'] as const)('A fetch that ends with %s', (code) => {
  test.each<[string, string, boolean, number]>([
    ['by HEAD, before the message', 'HEAD', true, 0],
    ['by HEAD, after a message that was refused for want of it', 'HEAD', false, 1],
    ['by GET, which only follows such a message', 'GET', false, 1],
  ])('a fetch of a CSRF token without an answer, %s, has executed nothing', async (_, failing, csrf, calls) => {
    const send = async ({ method }: HttpRequest) => {
      if (method === 'POST') return REQUIRED;
      if (method !== failing) return answer(405);
      throw new RelayError(code, `${method} there: no answer`, { executed: 'unknown' });
    };
    const adapter = createAdapter({ destination: destinationWith(csrf), send });
    const token = createEndpointToken(warm({ load: async () => tokenOf('a') }), now);
    const attempt = await relay(messageOf(), { token, adapter, now }, deadlineOf());
    expect(attempt.calls).toBe(calls);
    expect(attempt.outcome).toMatchObject({
      kind: 'failed',
      code,
      executed: 'no',
      reason: `${failing} there: no answer`,
    });
  });
});
