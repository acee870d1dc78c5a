/** The path of a webhook's request: which destination it names, through each of the gateways, decoded once. */
import { describe, expect, test } from 'vitest';
import { functionUrl, loadBalancer, restApi, webhookEvent } from './aws-http-events.ts';
import { JOE, openWebhook, statusOf } from './open-webhook.ts';

describe('The path', () => {
  test.each<[string, number | undefined]>([
    ['/webhooks/orders', undefined],
    ['/prod/webhooks/orders', undefined],
    ['/base/path/webhooks/orders', undefined],
    ['/webhooks/webhooks/orders', undefined],
    ['/webhooks/Orders', 401],
    ['/webhooks/', 404],
    ['/webhooks', 404],
    ['/webhooks/orders/', 404],
    ['/webhooks/orders/1', 404],
    ['/Webhooks/orders', 404],
    ['/mywebhooks/orders', 404],
    ['webhooks/orders', 404],
    ['/', 404],
    ['', 404],
  ])('the path %j is answered %s', async (rawPath, status) => {
    expect(statusOf(await openWebhook().admit({ rawPath }))).toBe(status);
  });

  /** An HTTP API hands the path over decoded: to decode it again would let in under a name that nobody asked for. */
  test.each<[string, number | undefined, number]>([
    ['/webhooks/%6Frders', undefined, 401],
    ['/%77ebhooks/orders', 404, 404],
    ['/webhooks/%256Frders', 401, 401],
    ['/webhooks/orders%2F', 401, 401],
    ['/webhooks/a%2Fwebhooks%2Forders', 401, 401],
    ['/webhooks/%20', 401, 401],
    ['/webhooks/%', 400, 400],
    ['/webhooks/%E0%A4', 400, 400],
    ['/webhooks/%FF', 400, 400],
  ])(
    'the path %j is decoded once: answered %s through a function URL, and as it stands %s through an HTTP API',
    async (path, once, never) => {
      const encoded = webhookEvent({ rawPath: path, headers: { authorization: JOE } });
      encoded.requestContext.domainName = functionUrl.requestContext.domainName;
      expect(statusOf(await openWebhook().admitEvent(encoded))).toBe(once);
      const { multiValueHeaders: _lists, ...rest } = restApi;
      const rest1 = { ...rest, path, httpMethod: 'POST', headers: { authorization: JOE } };
      expect(statusOf(await openWebhook().admitEvent(rest1))).toBe(once);
      expect(statusOf(await openWebhook().admitEvent({ ...rest1, requestContext: loadBalancer.requestContext }))).toBe(
        once,
      );
      expect(statusOf(await openWebhook().admit({ rawPath: path }))).toBe(never);
      expect(statusOf(await openWebhook().admitEvent({ ...rest1, version: '1.0' }))).toBe(never);
    },
  );
});
