/**
 * The handshake of CloudEvents and SAP Event Mesh: who gets the permission to send, and that nobody else learns
 * anything.
 */
import { describe, expect, test } from 'vitest';
import { problem } from '../../functions/webhook/problem.ts';
import { webhookEvent } from './aws-http-events.ts';
import { openWebhook } from './open-webhook.ts';

const MESH = 'enterprise-messaging.example.com';
const NOT_ALLOWED = problem('method-not-allowed', { headers: { Allow: 'POST' } });

const ask = (origin: string | undefined, fields: object = {}) =>
  webhookEvent({
    method: 'OPTIONS',
    body: undefined,
    headers: {
      ...(origin === undefined ? {} : { 'webhook-request-origin': origin }),
      'webhook-request-callback': 'https://example.com/confirm',
      'webhook-request-rate': '120',
    },
    ...fields,
  });

describe('An origin on the list', () => {
  test.each<[string[], string]>([
    [[MESH], MESH],
    [['other.example.com', MESH], MESH],
    [[MESH], MESH.toUpperCase()],
    [['*'], MESH],
    [['https://em.example.com:8443'], 'https://em.example.com:8443'],
  ])(
    'an origin on the list of %j gets the reply that %s may send, without credentials',
    async (allowedOrigins, origin) => {
      const opened = openWebhook({ allowedOrigins, methods: ['PUT'] });
      const { reply } = (await opened.admitEvent(ask(origin))) as { reply: unknown };
      expect(reply).toStrictEqual({
        status: 200,
        headers: {
          'Cache-Control': 'no-store',
          'X-Content-Type-Options': 'nosniff',
          Allow: 'POST',
          'WebHook-Allowed-Origin': origin,
          'WebHook-Allowed-Rate': '*',
        },
        body: '',
      });
      expect(opened.readings.count, 'no secret is read').toBe(0);
    },
  );
});

describe('Everyone else who asks with OPTIONS', () => {
  test.each<[string, string[], string | undefined, object]>([
    ['no origin is on the list', [], MESH, {}],
    ['another one is', ['other.example.com'], MESH, {}],
    ['it is part of the one that is', [`eu.${MESH}`], MESH, {}],
    ['the one that is is part of it', [MESH], `${MESH}.attacker.example`, {}],
    ['it says none', ['*'], undefined, {}],
    ['it is empty', ['*'], '', {}],
    ['it is a star', ['*'], '*', {}],
    ['it holds what no host does', ['*'], `${MESH}\r\nX-Injected: 1`, {}],
    ['it is a page', ['*'], '<script>', {}],
    ['it is endless', ['*'], 'a'.repeat(254), {}],
    ['the destination is unknown', ['*'], MESH, { rawPath: '/webhooks/unknown' }],
    ['a browser asks', ['*'], undefined, { headers: { origin: MESH, 'access-control-request-method': 'POST' } }],
  ])('an OPTIONS request of anyone else gets the same 405 where %s', async (_, allowedOrigins, origin, fields) => {
    const admission = await openWebhook({ allowedOrigins }).admitEvent(ask(origin, fields));
    expect(admission).toStrictEqual({ reply: NOT_ALLOWED });
  });

  test('no other method than OPTIONS is a handshake', async () => {
    const { admitEvent } = openWebhook({ allowedOrigins: ['*'] });
    expect(await admitEvent(ask(MESH, { method: 'GET' }))).toStrictEqual({ reply: NOT_ALLOWED });
    expect(await admitEvent(ask(MESH, { method: 'POST', body: '{}' }))).toMatchObject({ reply: { status: 401 } });
  });

  test('OPTIONS at another path is no handshake', async () => {
    expect(await openWebhook({ allowedOrigins: ['*'] }).admitEvent(ask(MESH, { rawPath: '/orders' }))).toMatchObject({
      reply: { status: 404 },
    });
  });
});
