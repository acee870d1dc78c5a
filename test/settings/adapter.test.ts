/**
 * The settings that belong to one sender adapter or another: their defaults, and that none is passed over in silence.
 */

import { describe, expect, test } from 'vitest';
import { problems } from '../../functions/settings/settings.ts';
import { basic, orders, read } from './destination.ts';
import { describeMistakes, type Mistake } from './mistake.ts';

const call = {
  ...orders,
  name: 'orders',
  method: 'POST',
  query: {},
  headers: {},
  contentType: 'application/json',
  forwardHeaders: ['traceparent', 'tracestate', 'sap-passport'],
  tokenFormat: 'jwt',
  maxTokenUseSeconds: 7_200,
  authentication: 'oauth',
  csrf: false,
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
const envelope = { contentType: 'text/xml; charset=utf-8', soapVersion: '1.1', soapAction: '', soapWrap: false };
const idHeader = 'SAP_ApplicationID';
const inOrder = { adapter: 'soap-rm', qualityOfService: 'ExactlyOnceInOrder' };

describe('The defaults of adapter', () => {
  test.each([
    ['https', { ...call, idHeader }],
    ['soap', { ...call, idHeader, ...envelope }],
    ['soap-rm', { ...call, ...envelope, messageIdAs: 'query', messageIdFormat: 'guid', queueIdFromGroup: false }],
    ['odata', { ...call, idHeader, csrf: true, resendPartialBatch: false }],
  ])('the defaults of adapter %s are those of its table, and nothing of another’s', (adapter, expected) => {
    expect(read({ ...orders, adapter })).toStrictEqual({ ...expected, adapter });
  });

  test.each(['soap', 'soap-rm'])('the defaults of adapter %s for SOAP 1.2 have its content type', (adapter) => {
    expect(read({ ...orders, adapter, soapVersion: '1.2' })).toMatchObject({
      contentType: 'application/soap+xml; charset=utf-8',
    });
  });
});

const taken: readonly (readonly [string, object, object?])[] = [
  ['the version as YAML reads it', { adapter: 'soap', soapVersion: 1.1 }, { soapVersion: '1.1' }],
  ['the other version as YAML reads it', { adapter: 'soap', soapVersion: 1.2 }, { soapVersion: '1.2' }],
  ['a content type beside SOAP’s own', { adapter: 'soap', contentType: 'text/xml; charset=iso-8859-1' }],
  ['an action', { adapter: 'soap-rm', soapAction: 'http://sap.com/xi/WebService/soap1.1' }],
  ['payloads that are wrapped', { adapter: 'soap-rm', soapWrap: true }],
  ['the id as a SOAP header', { adapter: 'soap-rm', messageIdAs: 'header' }],
  ['the id as it is', { adapter: 'soap-rm', messageIdFormat: 'as-is' }],
  ['the id in a header of HTTP, too', { adapter: 'soap-rm', idHeader: 'X-Id' }],
  ['exactly once', { adapter: 'soap-rm', qualityOfService: 'ExactlyOnce' }],
  ['in order, in a queue', { ...inOrder, queueId: 'ORDERS_1' }],
  ['in order, in the queue of the group', { ...inOrder, queueIdFromGroup: true, fifo: true }],
  ['no queue of the group', { adapter: 'soap-rm', queueIdFromGroup: false }],
  ['MERGE', { adapter: 'odata', method: 'MERGE' }],
  ['no CSRF token beforehand', { adapter: 'odata', csrf: false }],
  ['batches that are sent again', { adapter: 'odata', resendPartialBatch: true }],
  ['where the path’s rest is', { adapter: 'odata', pathFrom: 'X-Entity' }, { pathFrom: 'x-entity' }],
];

describe('A setting may be', () => {
  const rows = taken.map(([what, written, expected]) => [what, written, expected ?? written] as const);

  test.each(rows)('a setting of an adapter may be %s', (_, written, expected) => {
    expect(problems({ orders: { ...orders, ...written } })).toEqual([]);
    expect(read({ ...orders, ...written })).toMatchObject(expected);
  });

  test('a header with the rest of the path may be a setting, and the webhook then lets it in', () => {
    const written = { ...orders, pathFrom: 'X-Entity', forwardHeaders: ['x-a'] };
    expect(read({ ...written, webhook: basic })).toMatchObject({
      forwardHeaders: ['x-a'],
      webhook: { forwardHeaders: ['x-a', 'x-entity'] },
    });
    expect(read({ ...written, webhook: { ...basic, forwardHeaders: ['ce-*'] } })).toMatchObject({
      webhook: { forwardHeaders: ['ce-*', 'x-entity'] },
    });
  });
});

const ONLY_SOAP = 'only for adapter soap or soap-rm';
const ONLY_RM = 'only for adapter soap-rm';
const RM_WRITES = 'orders.query: MessageId, QualityOfService, QueueId are written by adapter soap-rm';
const ONE_QUEUE = 'orders.queueId: expected either queueId or queueIdFromGroup';
const IN_ORDER = 'only for qualityOfService ExactlyOnceInOrder';

const mistakes: readonly Mistake[] = [
  ['an action for no SOAP', { ...orders, soapAction: 'urn:hunter' }, `orders.soapAction: ${ONLY_SOAP}`],
  ['a version for OData', { ...orders, adapter: 'odata', soapVersion: '1.2' }, `orders.soapVersion: ${ONLY_SOAP}`],
  ['wrapping for HTTPS', { ...orders, adapter: 'https', soapWrap: false }, `orders.soapWrap: ${ONLY_SOAP}`],
  ['SAP RM’s id for SOAP', { ...orders, adapter: 'soap', messageIdAs: 'query' }, `orders.messageIdAs: ${ONLY_RM}`],
  [
    'SAP RM’s form of ids for OData',
    { ...orders, adapter: 'odata', messageIdFormat: 'as-is' },
    `orders.messageIdFormat: ${ONLY_RM}`,
  ],
  [
    'a quality of service for SOAP',
    { ...orders, adapter: 'soap', qualityOfService: 'ExactlyOnce' },
    `orders.qualityOfService: ${ONLY_RM}`,
  ],
  ['a queue id for HTTPS', { ...orders, queueId: 'HUNTERS' }, `orders.queueId: ${ONLY_RM}`],
  [
    'a queue id of the group for SOAP',
    { ...orders, adapter: 'soap', fifo: true, queueIdFromGroup: false },
    `orders.queueIdFromGroup: ${ONLY_RM}`,
  ],
  [
    'batches for SOAP',
    { ...orders, adapter: 'soap', resendPartialBatch: true },
    'orders.resendPartialBatch: only for adapter odata',
  ],
  ['MERGE for HTTPS', { ...orders, method: 'MERGE' }, 'orders.method: MERGE is only for adapter odata'],
  ['MERGE for SOAP', { ...orders, adapter: 'soap', method: 'MERGE' }, 'orders.method: MERGE is only for adapter odata'],
  [
    'PATCH for SAP RM',
    { ...orders, adapter: 'soap-rm', method: 'PATCH' },
    'orders.method: expected POST: SOAP knows no other',
  ],
  ['a version that is none', { ...orders, adapter: 'soap', soapVersion: 2 }, 'orders.soapVersion: expected 1.1 or 1.2'],
  [
    'an action in quotes',
    { ...orders, adapter: 'soap', soapAction: '"urn:hunter"' },
    'orders.soapAction: expected a URI without quotes',
  ],
  [
    'an id in the body',
    { ...orders, adapter: 'soap-rm', messageIdAs: 'body' },
    'orders.messageIdAs: expected query or header',
  ],
  [
    'a quality of service that is none',
    { ...orders, adapter: 'soap-rm', qualityOfService: 'BestEffort' },
    'orders.qualityOfService: expected ExactlyOnce or ExactlyOnceInOrder',
  ],
  [
    'order without a queue',
    { ...orders, ...inOrder },
    'orders.qualityOfService: ExactlyOnceInOrder needs queueId or queueIdFromGroup: order holds in a queue',
  ],
  ['a queue without order', { ...orders, adapter: 'soap-rm', queueId: 'HUNTERS' }, `orders.queueId: ${IN_ORDER}`],
  [
    'the queue of the group without order',
    { ...orders, adapter: 'soap-rm', qualityOfService: 'ExactlyOnce', fifo: true, queueIdFromGroup: true },
    `orders.queueIdFromGroup: ${IN_ORDER}`,
  ],
  ['two queues', { ...orders, ...inOrder, fifo: true, queueId: 'HUNTERS', queueIdFromGroup: true }, ONE_QUEUE],
  [
    'the queue of a group that there is not',
    { ...orders, ...inOrder, queueIdFromGroup: true },
    'orders.queueIdFromGroup: only for a FIFO queue: the messages of others have no group',
  ],
  [
    'a queue id with a space',
    { ...orders, ...inOrder, queueId: 'HUNTERS 1' },
    'orders.queueId: expected a queue id of at most 128 printable ASCII characters',
  ],
  [
    'a message id of one’s own in SAP RM’s query',
    { ...orders, adapter: 'soap-rm', query: { MessageId: 'hunter22' } },
    RM_WRITES,
  ],
  [
    'a message id of one’s own in SAP RM’s query, in other letters',
    { ...orders, adapter: 'soap-rm', query: { messageid: 'hunter22' } },
    RM_WRITES,
  ],
  [
    'a message id of one’s own in SAP RM’s url',
    { ...orders, adapter: 'soap-rm', url: 'https://flows.example.com/cxf/orders?a=1&MessageId=hunter22' },
    RM_WRITES.replace('query', 'url'),
  ],
  [
    'a url that is none',
    { ...orders, adapter: 'soap-rm', url: 'hunter22' },
    'orders.url: expected an https: URL without user and fragment (http: for loopback hosts alone)',
  ],
  [
    'a path’s rest in the cookies',
    { ...orders, pathFrom: 'Cookie' },
    'orders.pathFrom: this header belongs to HTTP or to the relay and cannot be set',
  ],
  [
    'a path’s rest in no header',
    { ...orders, pathFrom: 'a hunter' },
    'orders.pathFrom: expected the name of a header or an attribute',
  ],
];

describeMistakes('an adapter', mistakes);

test('several settings of other adapters are all found', () => {
  const written = { ...orders, soapAction: 'urn:x', queueId: 'Q', resendPartialBatch: true };
  expect(problems({ orders: written })).toEqual([
    `orders.soapAction: ${ONLY_SOAP}`,
    `orders.queueId: ${ONLY_RM}`,
    'orders.resendPartialBatch: only for adapter odata',
  ]);
});

test('what only a FIFO queue may have is told beside other mistakes', () => {
  const written = { ...orders, ...inOrder, queueIdFromGroup: true, path: '/cxf/orders' };
  const fields = problems({ orders: written }).map((line) => line.split(': ')[0]);
  expect(fields).toEqual(['orders.url', 'orders.queueIdFromGroup']);
});
