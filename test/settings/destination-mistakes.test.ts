/** Mistakes in the settings of a destination: each gives exactly one line with its path and what was expected. */
import { describe, expect, test } from 'vitest';
import { problems } from '../../functions/settings/settings.ts';
import { basic, orders } from './destination.ts';
import { describeMistakes, type Mistake, TEXT, whole } from './mistake.ts';

const URL_EXPECTED = 'expected an https: URL without user and fragment (http: for loopback hosts alone)';
const EITHER = 'expected either url, or path where the secret is a service key that names the host';
const SECRET_EXPECTED = 'expected the name or ARN of a secret in Secrets Manager';
const NOT_BOTH =
  'expected no path beside it: url is the whole endpoint, path is joined to the host that the service key names';
const HOST_EXPECTED = 'expected a host alone, such as acme.integrationsuite.cfapps.eu10.hana.ondemand.com';
const METHODS = 'expected POST or PUT or PATCH or DELETE or MERGE';
const OWNED = 'this header belongs to HTTP or to the relay and cannot be set';
const NEVER = 'this header is never passed on';
const PATTERN = 'expected a header name, * at its end allowed';
const QUEUE = 'expected the ARN of a queue';

const OBJECT = 'expected an object with secret, and url or path';

const mistakes: readonly Mistake[] = [
  ['a text in place of a destination', 'cpi/orders-key', `orders: ${OBJECT}`],
  ['nothing in place of a destination', null, `orders: ${OBJECT}`],
  ['a number in place of a destination', 4711, `orders: ${OBJECT}`],
  ['a list in place of a destination', ['cpi/orders-key'], `orders: ${OBJECT}`],
  ['no secret', { url: orders.url }, 'orders.secret: required, but missing'],
  ['an empty secret', { ...orders, secret: '' }, `orders.secret: ${SECRET_EXPECTED}`],
  [
    'a secret that is the credentials',
    { ...orders, secret: { clientId: 'sb-orders' } },
    `orders.secret: ${SECRET_EXPECTED}`,
  ],
  ['neither url nor path', { secret: orders.secret }, `orders.url: ${EITHER}`],
  ['both url and path', { ...orders, path: '/http/invoices' }, `orders.url: ${NOT_BOTH}`],
  ['a url that is none', { ...orders, url: 'flows.example.com/http' }, `orders.url: ${URL_EXPECTED}`],
  [
    'a url with a password',
    { ...orders, url: 'https://joe:hunter22@flows.example.com/' },
    `orders.url: ${URL_EXPECTED}`,
  ],
  ['a url with a fragment', { ...orders, url: 'https://flows.example.com/#part' }, `orders.url: ${URL_EXPECTED}`],
  ['http: off loopback', { ...orders, url: 'http://flows.example.com/http' }, `orders.url: ${URL_EXPECTED}`],
  [
    'http: to a host that looks like loopback',
    { ...orders, url: 'http://127.0.0.1.example.com/' },
    `orders.url: ${URL_EXPECTED}`,
  ],
  ['http: to a private address', { ...orders, url: 'http://10.0.0.1/http' }, `orders.url: ${URL_EXPECTED}`],
  ['a url of another scheme', { ...orders, url: 'ftp://flows.example.com/' }, `orders.url: ${URL_EXPECTED}`],
  ['a url that is a number', { ...orders, url: 4711 }, 'orders.url: expected a URL'],
  ['a path without a slash', { secret: 's', path: 'http/orders' }, 'orders.path: expected a path that starts with /'],
  ['a path with a space', { secret: 's', path: '/http/my orders' }, 'orders.path: expected a path that starts with /'],
  [
    'a path with a query',
    { secret: 's', path: '/http/orders?key=hunter22' },
    'orders.path: expected a path without ? and #; parameters belong into query',
  ],
  ...[
    'https://acme.integrationsuite.example',
    'acme.example/shell',
    'tmn',
    'ACME.example',
    'a.example:443',
    '',
    4711,
  ].map((monitor): Mistake => [`the monitor ${monitor}`, { ...orders, monitor }, `orders.monitor: ${HOST_EXPECTED}`]),
  ['an unknown field', { ...orders, methd: 'PUT' }, 'orders.methd: unknown field, did you mean method?'],
  [
    'a field in another spelling',
    { ...orders, timeoutseconds: 30 },
    'orders.timeoutseconds: unknown field, did you mean timeoutSeconds?',
  ],
  ['an unknown adapter', { ...orders, adapter: 'idoc' }, 'orders.adapter: expected https or soap or soap-rm or odata'],
  [
    'an adapter in capitals',
    { ...orders, adapter: 'ODATA' },
    'orders.adapter: expected https or soap or soap-rm or odata; did you mean odata?',
  ],
  ['GET as method', { ...orders, method: 'GET' }, `orders.method: ${METHODS}`],
  ['a method in lower case', { ...orders, method: 'post' }, `orders.method: ${METHODS}; did you mean POST?`],
  ['a query that is a text', { ...orders, query: 'a=hunter22' }, 'orders.query: expected names and texts'],
  ['a number in the query', { ...orders, query: { retries: 4711 } }, 'orders.query.retries: expected a text'],
  ['headers that are a text', { ...orders, headers: 'X-Key: hunter22' }, 'orders.headers: expected names and texts'],
  ['headers that are a list', { ...orders, headers: ['hunter22'] }, 'orders.headers: expected names and texts'],
  [
    'a header that is the relay’s',
    { ...orders, headers: { Authorization: 'hunter22' } },
    `orders.headers.Authorization: ${OWNED}`,
  ],
  [
    'a header that is a proxy’s',
    { ...orders, headers: { 'Proxy-Key': 'hunter22' } },
    `orders.headers.Proxy-Key: ${OWNED}`,
  ],
  [
    'a content type among the headers',
    { ...orders, headers: { 'content-type': 'text/x-hunter' } },
    `orders.headers.content-type: ${OWNED}`,
  ],
  [
    'a header name that is none',
    { ...orders, headers: { 'X Key': 'hunter22' } },
    'orders.headers.X Key: expected a header name',
  ],
  [
    'a header with a line break in it',
    { ...orders, headers: { 'X-Key': 'hunter22\r\nX-Other: 1' } },
    'orders.headers.X-Key: expected printable ASCII without line breaks',
  ],
  [
    'a header beyond ASCII',
    { ...orders, headers: { 'X-Key': 'häusler' } },
    'orders.headers.X-Key: expected printable ASCII without line breaks',
  ],
  ['a header that is a number', { ...orders, headers: { 'X-Key': 4711 } }, 'orders.headers.X-Key: expected a text'],
  [
    'a content type that is none',
    { ...orders, contentType: 'hunter22' },
    'orders.contentType: expected a media type, such as application/xml',
  ],
  [
    'forwardHeaders as one text',
    { ...orders, forwardHeaders: 'x-hunter' },
    'orders.forwardHeaders: expected a list of header names',
  ],
  ['a cookie to forward', { ...orders, forwardHeaders: ['Cookie'] }, `orders.forwardHeaders.0: ${NEVER}`],
  [
    'credentials to forward',
    { ...orders, forwardHeaders: ['x-a', 'AUTHORIZATION'] },
    `orders.forwardHeaders.1: ${NEVER}`,
  ],
  [
    'a * in the middle',
    { ...orders, forwardHeaders: ['x-*-hunter'] },
    'orders.forwardHeaders.0: expected * at the end alone',
  ],
  ['a header pattern with a space', { ...orders, forwardHeaders: ['x hunter'] }, `orders.forwardHeaders.0: ${PATTERN}`],
  ['an empty header pattern', { ...orders, forwardHeaders: [''] }, `orders.forwardHeaders.0: ${PATTERN}`],
  ['csrf as a text', { ...orders, csrf: 'truehunter' }, `orders.csrf: expected true or false${TEXT}`],
  ['true in quotes', { ...orders, fifo: 'true' }, `orders.fifo: expected true or false${TEXT}`],
  ['an id header that is the relay’s', { ...orders, idHeader: 'Content-Length' }, `orders.idHeader: ${OWNED}`],
  ['an id header that is no name', { ...orders, idHeader: 'Message Id' }, 'orders.idHeader: expected a header name'],
  ['a timeout of 0', { ...orders, timeoutSeconds: 0 }, `orders.timeoutSeconds: ${whole('seconds', 1, 600)}`],
  [
    'a timeout beyond ten minutes',
    { ...orders, timeoutSeconds: 601 },
    `orders.timeoutSeconds: ${whole('seconds', 1, 600)}`,
  ],
  ['half a second', { ...orders, timeoutSeconds: 4711.5 }, `orders.timeoutSeconds: ${whole('seconds', 1, 600)}`],
  [
    'a timeout as a text',
    { ...orders, timeoutSeconds: '45' },
    `orders.timeoutSeconds: ${whole('seconds', 1, 600)}${TEXT}`,
  ],
  ['a queue with a space', { ...orders, queue: 'my hunter' }, `orders.queue: ${QUEUE}`],
  ['a queue by its URL', { ...orders, queue: 'https://sqs.eu-central-1.amazonaws.com/1/q' }, `orders.queue: ${QUEUE}`],
  [
    'the ARN of a topic',
    { ...orders, queue: 'arn:aws:sns:eu-central-1:123456789012:orders' },
    `orders.queue: ${QUEUE}`,
  ],
  ['a queue name that is too long', { ...orders, queue: 'q'.repeat(81) }, `orders.queue: ${QUEUE}`],
  ['a FIFO queue name that is too long', { ...orders, queue: `${'q'.repeat(76)}.fifo` }, `orders.queue: ${QUEUE}`],
  [
    'an ARN with a queue name that is too long',
    { ...orders, queue: `arn:aws:sqs:eu-central-1:123456789012:${'q'.repeat(81)}` },
    `orders.queue: ${QUEUE}`,
  ],
  [
    'fifo that the queue contradicts',
    { ...orders, queue: 'hunter', fifo: true },
    'orders.fifo: contradicts the name of the queue; leave it out, the name tells',
  ],
  ['a batch of none', { ...orders, batchSize: 0 }, `orders.batchSize: ${whole('messages', 1, 10_000)}`],
  [
    'a FIFO batch of 11',
    { ...orders, fifo: true, batchSize: 11 },
    'orders.batchSize: expected at most 10: a FIFO queue hands out no more',
  ],
  [
    'an existing FIFO queue with a batch of 11',
    { ...orders, queue: 'hunter.fifo', batchSize: 11 },
    'orders.batchSize: expected at most 10: a FIFO queue hands out no more',
  ],
  [
    'one invocation',
    { ...orders, maximumConcurrency: 1 },
    `orders.maximumConcurrency: ${whole('invocations', 2, 1000)}`,
  ],
  ['enabled as a word', { ...orders, enabled: 'yes' }, `orders.enabled: expected true or false${TEXT}`],
  ['a concurrency of 101', { ...orders, concurrency: 101 }, `orders.concurrency: ${whole('calls', 1, 100)}`],
  ['tries beyond the retention', { ...orders, retryForHours: 265 }, `orders.retryForHours: ${whole('hours', 1, 264)}`],
  ...[
    ['a bare name', 'hunters'],
    ['a queue', 'arn:aws:sqs:eu-central-1:123456789012:orders'],
    ['a pattern, which would open more', 'arn:aws:sns:eu-central-1:123456789012:*'],
    ['an event bus', 'arn:aws:events:eu-central-1:123456789012:event-bus/default'],
  ].map(([what, sender]): [string, object, string] => [
    `${what} as sender to the queue`,
    { ...orders, queueSenders: ['arn:aws:sns:eu-central-1:123456789012:orders', sender] },
    'orders.queueSenders.1: expected a list of ARNs of SNS topics and EventBridge rules',
  ]),
  ['a queue URL over http:', { ...orders, queueUrl: 'http://sqs.example.com/1/q' }, `orders.queueUrl: ${URL_EXPECTED}`],
  [
    'a dead-letter queue URL that is none',
    { ...orders, deadLetterQueueUrl: 'dlq' },
    `orders.deadLetterQueueUrl: ${URL_EXPECTED}`,
  ],
  [
    'a bucket in capitals',
    { ...orders, payloadBucket: 'Hunters' },
    'orders.payloadBucket: expected the name of a bucket',
  ],
  [
    'buckets as one text',
    { ...orders, payloadBuckets: 'hunters' },
    'orders.payloadBuckets: expected a list of bucket names',
  ],
  [
    'one bad bucket of two',
    { ...orders, payloadBuckets: ['good', '-x'] },
    'orders.payloadBuckets.1: expected the name of a bucket',
  ],
  [
    'the deletion of payloads as a word',
    { ...orders, deletePayloads: 'yes' },
    `orders.deletePayloads: expected true or false${TEXT}`,
  ],
];

describeMistakes('a destination', mistakes);

describe('Several mistakes', () => {
  test('several mistakes in several fields are all found', () => {
    const input = { secret: '', url: 'x', csrf: 1, webhook: { ...basic, maxBodyBytes: 0 } };
    expect(problems({ orders: input })).toEqual([
      `orders.secret: ${SECRET_EXPECTED}`,
      `orders.url: ${URL_EXPECTED}`,
      'orders.csrf: expected true or false',
      `orders.webhook.maxBodyBytes: ${whole('bytes', 1, 6_291_456)}`,
    ]);
  });

  test('several mistakes in the names of fields are all found, not the first alone', () => {
    expect(problems({ orders: { ...orders, methd: 'PUT', timeout: 30 } })).toEqual([
      'orders.methd: unknown field, did you mean method?',
      'orders.timeout: unknown field, did you mean timeoutSeconds?',
    ]);
    expect(problems({ orders: { ...orders, webhook: { ...basic, verfy: 1, mdoe: 2 } } })).toEqual([
      'orders.webhook.verfy: unknown field, did you mean verify?',
      'orders.webhook.mdoe: unknown field, did you mean mode?',
    ]);
  });

  test('several mistakes in the names of fields and in values are found beside each other', () => {
    expect(problems({ orders: { ...orders, methd: 'PUT', csrf: 1 } })).toEqual([
      'orders.methd: unknown field, did you mean method?',
      'orders.csrf: expected true or false',
    ]);
  });

  test('several mistakes in several destinations are all found, in their order', () => {
    expect(problems({ b: { ...orders, csrf: 1 }, a: { ...orders, fifo: 1 }, c: orders })).toEqual([
      'b.csrf: expected true or false',
      'a.fifo: expected true or false',
    ]);
  });
});

test.each(['toString', 'constructor', '__proto__'])(
  'a field is unknown even if every object has a property of its name: %s',
  (field) => {
    const written = JSON.parse(`{"secret":"s","url":"https://h.example.com/","${field}":"hunter22"}`);
    expect(problems({ orders: written })).toEqual([`orders.${field}: unknown field`]);
  },
);
