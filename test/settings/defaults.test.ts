/** What a setting means that nobody wrote, and what may be written: the table "Settings", as a cold start reads it. */

import { describe, expect, test } from 'vitest';
import type { Destination } from '../../functions/settings/destination.ts';
import { problems, readSettings } from '../../functions/settings/settings.ts';
import { basic, orders, read } from './destination.ts';

const defaults: Destination = {
  name: 'orders',
  ...orders,
  adapter: 'https',
  method: 'POST',
  query: {},
  headers: {},
  contentType: 'application/json',
  forwardHeaders: ['traceparent', 'tracestate', 'sap-passport'],
  tokenFormat: 'jwt',
  maxTokenUseSeconds: 7_200,
  authentication: 'oauth',
  csrf: false,
  idHeader: 'SAP_ApplicationID',
  timeoutSeconds: 60,
  fifo: false,
  batchSize: 10,
  maximumConcurrency: 2,
  enabled: true,
  concurrency: 10,
  retryForHours: 72,
  queueSenders: [],
  payloadBuckets: [],
  deletePayloads: false,
};

describe('The defaults', () => {
  test('the defaults of a destination are those of the table, and nothing else is filled in', () => {
    expect(read(orders)).toStrictEqual(defaults);
  });

  test('the defaults of a webhook are those of the table, and nothing else is filled in', () => {
    expect(read({ ...orders, webhook: basic })).toStrictEqual({
      ...defaults,
      webhook: {
        verify: [{ type: 'basic', secret: basic.secret }],
        mode: 'direct',
        methods: ['POST'],
        maxBodyBytes: 6_291_456,
        maxHeaderBytes: 16_384,
        returnHeaders: [],
        allowedOrigins: [],
      },
    });
  });

  test('the default of a webhook’s mode is queued', () => {
    const { mode: _, ...webhook } = basic;
    expect(read({ ...orders, webhook })).toMatchObject({ webhook: { mode: 'queued' } });
  });

  test.each([
    ['fifo', { fifo: true }],
    ['the name of its queue', { queue: 'orders.fifo' }],
    ['the URL of its queue', { queueUrl: 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo' }],
  ])('a webhook’s message group is allowed where %s says that the queue is FIFO', (_, fifo) => {
    const webhook = { ...basic, messageGroupId: 'X-Order' };
    expect(read({ ...orders, ...fifo, webhook })).toMatchObject({ webhook: { messageGroupId: 'x-order' } });
  });

  test('the scope has no default: no scope asked for means all that the client has', () => {
    expect(read(orders)).not.toHaveProperty('scope');
  });

  test('the defaults are not shared: a change in one destination’s leaves the other’s', () => {
    const written = JSON.stringify({ one: { ...orders, webhook: basic }, two: { ...orders, webhook: basic } });
    const { destinations } = readSettings({ DESTINATIONS: written });
    const [one, two] = [...destinations.values()] as [Destination, Destination];
    expect(one.forwardHeaders).not.toBe(two.forwardHeaders);
    expect(one.webhook?.methods).not.toBe(two.webhook?.methods);
    expect(one.payloadBuckets).not.toBe(two.payloadBuckets);
  });

  test.each([
    ['by its own setting', { fifo: true }],
    ['by the queue’s name', { queue: 'orders.fifo' }],
    ['by the queue’s ARN', { queue: 'arn:aws:sqs:eu-central-1:123456789012:orders.fifo' }],
  ])('the default of retryForHours on FIFO, told by %s, is one day', (_, written) => {
    expect(read({ ...orders, ...written })).toMatchObject({ fifo: true, retryForHours: 24, batchSize: 10 });
  });

  test.each([
    ['a standard queue', {}, 264],
    ['a FIFO queue', { fifo: true }, 100],
  ])('the default of retryForHours of %s gives way to hours that are written', (_, written, retryForHours) => {
    expect(read({ ...orders, ...written, retryForHours })).toMatchObject({ retryForHours });
  });
});

const taken: readonly (readonly [string, object, object])[] = [
  ['http: on 127.0.0.1', { url: 'http://127.0.0.1:8080/http/orders' }, { url: 'http://127.0.0.1:8080/http/orders' }],
  ['http: on localhost', { url: 'http://localhost/http' }, { url: 'http://localhost/http' }],
  ['http: on the loopback of IPv6', { url: 'http://[::1]:8080/' }, { url: 'http://[::1]:8080/' }],
  ['a url with a query', { url: 'https://h.example.com/a?b=c' }, { url: 'https://h.example.com/a?b=c' }],
  [
    'headers in any case, which are kept in lower case',
    { forwardHeaders: ['CE-*', 'X-Trace'] },
    { forwardHeaders: ['ce-*', 'x-trace'] },
  ],
  ['every header, by a lone *', { forwardHeaders: ['*'] }, { forwardHeaders: ['*'] }],
  ['no header', { forwardHeaders: [] }, { forwardHeaders: [] }],
  ['a queue by its ARN', { queue: 'arn:aws:sqs:eu-central-1:123456789012:in' }, { fifo: false }],
  ['a queue in China', { queue: 'arn:aws-cn:sqs:cn-north-1:123456789012:in' }, { fifo: false }],
  ['a queue by its name', { queue: 'legacy_in-1' }, { queue: 'legacy_in-1' }],
  ['a queue with the longest name', { queue: 'q'.repeat(80) }, { queue: 'q'.repeat(80) }],
  ['a FIFO queue with the longest name', { queue: `${'q'.repeat(75)}.fifo` }, { fifo: true }],
  ['an opaque token', { tokenFormat: 'opaque' }, { tokenFormat: 'opaque' }],
  ['one scope', { scope: 'it-rt!b1.ESBMessaging.send' }, { scope: 'it-rt!b1.ESBMessaging.send' }],
  ['several scopes', { scope: 'uaa.resource !#$[]^~' }, { scope: 'uaa.resource !#$[]^~' }],
  ['tokens that are used for a minute', { maxTokenUseSeconds: 60 }, { maxTokenUseSeconds: 60 }],
  ['tokens that are used for a day', { maxTokenUseSeconds: 86_400 }, { maxTokenUseSeconds: 86_400 }],
  ['a client certificate in place of a token', { authentication: 'certificate' }, { authentication: 'certificate' }],
  ['payloads that are deleted once delivered', { deletePayloads: true }, { deletePayloads: true }],
  ['static headers', { headers: { SOAPAction: '"urn:x"' } }, { headers: { SOAPAction: '"urn:x"' } }],
  ['a static query', { query: { a: 'ü b', '': '' } }, { query: { a: 'ü b', '': '' } }],
  [
    'the smallest numbers',
    { timeoutSeconds: 1, batchSize: 1, maximumConcurrency: 2, concurrency: 1, retryForHours: 1 },
    { timeoutSeconds: 1 },
  ],
  [
    'the largest numbers',
    { timeoutSeconds: 600, batchSize: 10_000, maximumConcurrency: 1_000, concurrency: 100, retryForHours: 264 },
    { timeoutSeconds: 600, batchSize: 10_000 },
  ],
  [
    'a webhook’s message id as a header',
    { webhook: { ...basic, messageId: 'X-Id' } },
    { webhook: { messageId: 'x-id' } },
  ],
  [
    'a webhook’s message id as a pointer',
    { webhook: { ...basic, messageId: '/Data/a~1b' } },
    { webhook: { messageId: '/Data/a~1b' } },
  ],
  [
    'content types in any case',
    { webhook: { ...basic, contentTypes: ['Text/*'] } },
    { webhook: { contentTypes: ['text/*'] } },
  ],
];

describe('A setting may be', () => {
  test.each(taken)('the value of a setting may be %s', (_, written, expected) => {
    const whole = { ...orders, ...written };
    expect(problems({ orders: whole })).toEqual([]);
    expect(read(whole)).toMatchObject(expected);
  });

  test('a path may be a setting in place of the url', () => {
    const written = { secret: 'cpi/orders', path: '/http/orders' };
    expect(problems({ orders: written })).toEqual([]);
    expect(read(written)).toMatchObject(written);
    expect(read(written)).not.toHaveProperty('url');
  });
});
