/** What init makes ready beside the token: a connection, where all that the function calls is one host. */

import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../../functions/environment.ts';
import type { HttpRequest, Send } from '../../functions/http/http.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import { answer } from '../doubles/answer.ts';

/** A service key as SAP hands it out. */
const KEY = {
  oauth: {
    clientid: 'sb-x!b1',
    clientsecret: 'synthetic',
    tokenurl: 'https://auth.example.com/oauth/token',
    url: 'https://cpi.example.com',
  },
};
const FLOWS = 'https://flows.example.com';

/** @returns the hosts that init connected to, and the tokens that it asked for */
async function start(destinations: object, { tokenStatus = 200, isNeeded = (): boolean => true } = {}) {
  const connected: string[] = [];
  let tokenRequests = 0;
  const respond = async (_: HttpRequest) => {
    tokenRequests += 1;
    return answer(tokenStatus, { access_token: 'opaque', token_type: 'Bearer', expires_in: 3600 });
  };
  const send: Send = Object.assign(respond, {
    connect: async ({ url }: Pick<HttpRequest, 'url'>) => void connected.push(url.origin),
  });
  const readSecret = async () => ({ text: JSON.stringify(KEY), versionId: 'v1' });
  const settings = readSettings({ DESTINATIONS: JSON.stringify(destinations) });
  await createEnvironment({ settings, outside: { send, readSecret } }).prepare(isNeeded);
  return { connected, tokenRequests };
}

describe('Init connects', () => {
  test.each([
    ['to the endpoint of the one destination', { orders: { secret: 'cpi', url: `${FLOWS}/http/orders` } }, FLOWS],
    [
      'to the host of the secret, where the setting is a path',
      { orders: { secret: 'cpi', path: '/http/orders' } },
      'https://cpi.example.com',
    ],
    [
      'once, where several endpoints are of one host',
      {
        orders: { secret: 'cpi', url: `${FLOWS}/http/orders` },
        invoices: { secret: 'cpi', url: `${FLOWS}/http/invoices` },
      },
      FLOWS,
    ],
  ])('Init connects %s', async (_, destinations, origin) => {
    expect(await start(destinations)).toEqual({ connected: [origin], tokenRequests: 1 });
  });
});

describe('Init connects to nothing', () => {
  const one = { orders: { secret: 'cpi', url: `${FLOWS}/http/orders` } };

  test('Init connects to nothing where the endpoints are of several hosts', async () => {
    const two = { ...one, invoices: { secret: 'cpi', url: 'https://other.example.com/http/invoices' } };
    expect(await start(two)).toEqual({ connected: [], tokenRequests: 1 });
  });

  test('Init connects to nothing where there is no one token', async () => {
    const two = { ...one, invoices: { secret: 'cpi/other', url: `${FLOWS}/http/invoices` } };
    expect(await start(two)).toEqual({ connected: [], tokenRequests: 0 });
  });

  test('Init connects to nothing where the token was refused', async () => {
    const { connected, tokenRequests } = await start(one, { tokenStatus: 400 });
    expect(connected).toEqual([]);
    expect(tokenRequests).toBeGreaterThan(0);
  });

  test('Init connects to nothing where the function calls no endpoint', async () => {
    expect(await start(one, { isNeeded: () => false })).toEqual({ connected: [], tokenRequests: 0 });
  });
});
