/**
 * What `webhook.verify` stands for: a name, an object, a list; every option’s default, and what each preset fills in.
 */
import { describe, expect, test } from 'vitest';
import type { Destination } from '../../functions/settings/destination.ts';
import { problems, readSettings } from '../../functions/settings/settings.ts';
import { orders } from './destination.ts';

const secret = 'webhooks/orders';
const hmac = {
  type: 'hmac',
  secret,
  header: 'x-signature',
  format: 'plain',
  algorithm: 'sha256',
  encoding: 'hex',
  prefix: '',
  signedContent: '{body}',
  toleranceSeconds: 300,
};
const stripe = { ...hmac, format: 'list', header: 'stripe-signature', signedContent: '{timestamp}.{body}' };

function read(verify: unknown, fields: object = {}): Destination {
  const written = { orders: { ...orders, webhook: { verify, secret, mode: 'direct', ...fields } } };
  expect(problems(written)).toEqual([]);
  return readSettings({ DESTINATIONS: JSON.stringify(written) }).destinations.get('orders') as Destination;
}

test.each<[written: unknown, stands: object]>([
  ['basic', { type: 'basic', secret }],
  [{ type: 'basic' }, { type: 'basic', secret }],
  ['api-key', { type: 'api-key', secret, header: 'x-api-key' }],
  [
    { type: 'api-key', header: 'X-Legacy-Key' },
    { type: 'api-key', secret, header: 'x-legacy-key' },
  ],
  [{ type: 'hmac', header: 'X-Signature' }, hmac],
  [
    { type: 'hmac', header: 'X-Signature', timestampHeader: 'X-Time' },
    { ...hmac, timestampHeader: 'x-time', signedContent: '{timestamp}.{body}' },
  ],
  [
    {
      type: 'hmac',
      header: 'X-Signature',
      algorithm: 'sha512',
      encoding: 'base64',
      prefix: 'HMAC ',
      timestampHeader: 'X-Time',
      signedContent: 'v0:{timestamp}:{body}',
      toleranceSeconds: 60,
    },
    {
      ...hmac,
      algorithm: 'sha512',
      encoding: 'base64',
      prefix: 'HMAC ',
      timestampHeader: 'x-time',
      signedContent: 'v0:{timestamp}:{body}',
      toleranceSeconds: 60,
    },
  ],
  ['standard-webhooks', { type: 'standard-webhooks', secret, toleranceSeconds: 300 }],
  [
    { type: 'standard-webhooks', toleranceSeconds: 60 },
    { type: 'standard-webhooks', secret, toleranceSeconds: 60 },
  ],
  ['github', { ...hmac, header: 'x-hub-signature-256', prefix: 'sha256=', messageId: 'x-github-delivery' }],
  ['shopify', { ...hmac, header: 'x-shopify-hmac-sha256', encoding: 'base64', messageId: 'x-shopify-webhook-id' }],
  ['stripe', { ...stripe, messageId: '/id' }],
  ['sap-open-connectors', { ...hmac, header: 'elements-webhook-signature', encoding: 'base64', prefix: 'sha256=' }],
  [
    { type: 'stripe', toleranceSeconds: 600 },
    { ...stripe, messageId: '/id', toleranceSeconds: 600 },
  ],
  [
    { type: 'github', header: 'X-Hub-Signature', algorithm: 'sha1', prefix: 'sha1=' },
    { ...hmac, header: 'x-hub-signature', algorithm: 'sha1', prefix: 'sha1=', messageId: 'x-github-delivery' },
  ],
  [
    { type: 'jwt', issuer: 'https://idp.example', audience: 'orders' },
    { type: 'jwt', issuer: 'https://idp.example', audience: 'orders' },
  ],
  ['iam', { type: 'iam' }],
  ['none', { type: 'none' }],
])('the short form %j stands for a full verification', (written, stands) => {
  const common = 'secret' in stands ? {} : { secret: undefined };
  expect(read(written, common).webhook?.verify).toStrictEqual([stands]);
  expect(read([written], common).webhook?.verify).toStrictEqual([stands]);
});

describe('A secret', () => {
  test('a secret of an entry goes before the webhook’s', () => {
    const entries = [{ type: 'basic', secret: 'webhooks/erp' }, 'stripe'];
    expect(read(entries).webhook?.verify).toMatchObject([{ secret: 'webhooks/erp' }, { secret }]);
  });

  test('a secret of the webhook is not needed where each entry has its own, or needs none', () => {
    const entries = [
      { type: 'basic', secret: 'webhooks/erp' },
      { type: 'jwt', issuer: 'https://idp.example', audience: 'orders' },
    ];
    expect(read(entries, { secret: undefined }).webhook?.verify).toMatchObject([{ secret: 'webhooks/erp' }, {}]);
    for (const alone of ['iam', 'none']) read(alone, { secret: undefined });
  });
});

test.each<[unknown, string[]]>([
  [undefined, []],
  ['*', ['*']],
  [['*'], ['*']],
  [
    ['em.example.com', 'https://em.example.com:8443'],
    ['em.example.com', 'https://em.example.com:8443'],
  ],
])('the setting allowedOrigins %j is read', (allowedOrigins, list) => {
  expect(read('basic', { allowedOrigins }).webhook?.allowedOrigins).toEqual(list);
});
