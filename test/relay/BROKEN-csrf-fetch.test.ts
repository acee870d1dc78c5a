/** The fetch of a CSRF token that gets no answer; each test says what is expected, and fails. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpRequest } from '../../functions/http-client.ts';
import { httpsAdapter } from '../../functions/relay/adapter/https.ts';
import type { Destination } from '../../functions/relay/destination.ts';
import { relay } from '../../functions/relay/relay.ts';
import { readSettings } from '../../functions/settings.ts';
import { warm } from '../../functions/warm.ts';
import { answer, deadlineOf, messageOf, NOON, tokenOf } from './http-answer.ts';

const written = { secret: 'cpi/orders', url: 'https://flows.example.com/http/orders', csrf: true };
const destination = readSettings({ DESTINATIONS: JSON.stringify({ orders: written }) }).destinations.get('orders');

// The message has not gone out (calls: 0), and the flow does not run on a fetch: nothing can have been executed.
describe.each(['TIMED_OUT', 'CONNECTION_FAILED'] as const)('A fetch that ends with %s has executed nothing', (code) => {
  test.each(['HEAD', 'GET'])('by %s', async (broken) => {
    const send = async ({ method }: HttpRequest) => {
      if (method !== broken) return answer(405);
      throw new RelayError(code, `${method} there: no answer`, { executed: 'unknown' });
    };
    const adapter = httpsAdapter({ destination: destination as Destination, send });
    const token = warm({ load: async () => tokenOf('a') });
    const { outcome, calls } = await relay(messageOf(), { token, adapter, now: () => NOON }, deadlineOf());
    expect(calls).toBe(0);
    expect(outcome).toMatchObject({ kind: 'failed', executed: 'no' });
  });
});
