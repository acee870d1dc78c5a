/** A cut-over as it is written: what differs on the new side, what is shared, and what is refused. */
import { describe, expect, test } from 'vitest';
import type { Destination } from '../../functions/settings/destination.ts';
import { problems } from '../../functions/settings/settings.ts';
import { basic, orders, read } from './destination.ts';
import { describeMistakes, type Mistake, TEXT, whole } from './mistake.ts';

const SINCE = '2027-03-06T20:00:00Z';
const cutover = { secret: 'cpi/orders-cf', since: SINCE };
const TIME = 'expected a time with its offset, such as 2027-03-06T20:00:00Z or 2027-03-06T21:00:00+01:00';
const OBJECT = 'expected an object with since and what differs of the way to SAP';
const DIFFERS = 'expected what differs on the new side, such as secret and path';
const SHARED = "is not of the way to SAP, both sides share the destination's";
const PER_CENT = whole('per cent', 0, 100);

function sides(written: object): { readonly old: Destination; readonly other: Destination } {
  const old = read(written);
  if (old === undefined || 'error' in old || old.cutover === undefined) throw new Error('expected a cut-over');
  return { old, other: old.cutover.newSide };
}

describe('A cut-over', () => {
  test('a cut-over is absent where nobody wrote one, and so is the side', () => {
    expect(read(orders)).not.toHaveProperty('cutover');
    expect(read(orders)).not.toHaveProperty('side');
  });

  test('a new side has what the cut-over names, and everything else of the destination', () => {
    const written = { ...orders, csrf: true, timeoutSeconds: 20, fifo: true, scope: 'send' };
    const { old, other } = sides({ ...written, cutover: { ...cutover, csrf: false, monitor: 'acme.example.com' } });
    const { cutover: _, ...own } = old;
    expect(own).toStrictEqual({ ...(read(written) as Destination), side: 'old' });
    expect(other).toStrictEqual({
      ...own,
      side: 'new',
      secret: 'cpi/orders-cf',
      csrf: false,
      monitor: 'acme.example.com',
    });
  });

  test.each([
    ['2027-03-06T20:00:00Z', Date.UTC(2027, 2, 6, 20)],
    ['2027-03-06T21:00:00+01:00', Date.UTC(2027, 2, 6, 20)],
    ['2027-03-06T20:00Z', Date.UTC(2027, 2, 6, 20)],
    ['2028-02-29T23:59:59.999-05:30', Date.UTC(2028, 2, 1, 5, 29, 59, 999)],
  ])('a cut-over since %s begins then, for all messages', (since, time) => {
    expect(read({ ...orders, cutover: { ...cutover, since } })).toMatchObject({ cutover: { since: time, share: 100 } });
  });

  test('a url on the new side takes the place of the path, and the other way round', () => {
    const { url } = orders;
    const byPath = { secret: orders.secret, path: '/http/orders' };
    expect(sides({ ...byPath, cutover: { ...cutover, url } }).other).toMatchObject({ url });
    expect(sides({ ...byPath, cutover: { ...cutover, url } }).other).not.toHaveProperty('path');
    expect(sides({ ...orders, cutover: { ...cutover, path: '/http/new' } }).other).not.toHaveProperty('url');
  });

  test.each([
    ['has another secret', { secret: 'cpi/orders-cf' }, undefined],
    ['has another host', { url: 'https://other.example.com/http/orders' }, undefined],
    ['has its host from the secret', { path: '/http/orders' }, undefined],
    ['has another address in the same tenant', { url: 'https://flows.example.com/http/other' }, 'old.example.com'],
    ['names its own', { secret: 'cpi/orders-cf', monitor: 'new.example.com' }, 'new.example.com'],
    ['names the same', { secret: 'cpi/orders-cf', monitor: 'old.example.com' }, 'old.example.com'],
  ])('a monitor is not taken over to another tenant: the new side %s', (_, differing, monitor) => {
    const { secret } = orders;
    const written = { secret, url: 'https://flows.example.com/http/orders', monitor: 'old.example.com' };
    const { old, other } = sides({ ...written, cutover: { since: SINCE, ...differing } });
    expect(old.monitor).toBe('old.example.com');
    expect(other.monitor).toBe(monitor);
  });

  test('another adapter on the new side leaves behind the settings of the old one alone', () => {
    const written = { ...orders, adapter: 'soap-rm', messageIdAs: 'header', soapVersion: '1.2', idHeader: 'X-Id' };
    const { other } = sides({ ...written, cutover: { ...cutover, adapter: 'https' } });
    expect(other).toMatchObject({ adapter: 'https', idHeader: 'X-Id', contentType: 'application/json' });
    for (const gone of ['messageIdAs', 'soapVersion']) expect(other).not.toHaveProperty(gone);
  });
});

const mistakes: readonly Mistake[] = [
  ['nothing as a cut-over', { ...orders, cutover: null }, `orders.cutover: ${OBJECT}`],
  ['a time as a cut-over', { ...orders, cutover: SINCE }, `orders.cutover: ${OBJECT}`],
  [
    'a cut-over without since',
    { ...orders, cutover: { secret: cutover.secret } },
    'orders.cutover.since: required, but missing',
  ],
  ...[
    '2027-03-06T20:00:00',
    '2027-03-06',
    '2027-02-30T20:00:00Z',
    '2027-02-32T20:00:00Z',
    '2027-13-01T20:00:00Z',
    '2027-00-10T20:00:00Z',
    '2027-03-06T24:00:00Z',
    '2027-03-06T20:00:00+0100',
    '2027-03-06 20:00:00Z',
    'tomorrow',
    1_804_363_200_000,
  ].map(
    (since): Mistake => [
      `a cut-over since ${since}`,
      { ...orders, cutover: { ...cutover, since } },
      `orders.cutover.since: ${TIME}`,
    ],
  ),
  ['half a per cent', { ...orders, cutover: { ...cutover, share: 0.5 } }, `orders.cutover.share: ${PER_CENT}`],
  ['more than all', { ...orders, cutover: { ...cutover, share: 101 } }, `orders.cutover.share: ${PER_CENT}`],
  [
    'a share in quotes',
    { ...orders, cutover: { ...cutover, share: '10' } },
    `orders.cutover.share: ${PER_CENT}${TEXT}`,
  ],
  ['a cut-over to the same', { ...orders, cutover: { since: SINCE, share: 10 } }, `orders.cutover: ${DIFFERS}`],
  [
    'a cut-over that repeats the destination',
    { ...orders, cutover: { ...orders, since: SINCE } },
    `orders.cutover: ${DIFFERS}`,
  ],
  [
    'a cut-over that repeats a default',
    { ...orders, cutover: { since: SINCE, timeoutSeconds: 60, csrf: false } },
    `orders.cutover: ${DIFFERS}`,
  ],
  ...['queue', 'fifo', 'batchSize', 'retryForHours', 'concurrency', 'payloadBucket', 'webhook', 'forwardHeaders'].map(
    (field): Mistake => [
      `${field} in a cut-over`,
      { ...orders, webhook: basic, cutover: { ...cutover, [field]: 'hunter22' } },
      `orders.cutover.${field}: ${SHARED}`,
    ],
  ),
  ['a cut-over in a cut-over', { ...orders, cutover: { ...cutover, cutover } }, `orders.cutover.cutover: ${SHARED}`],
  [
    'a misspelt field in a cut-over',
    { ...orders, cutover: { since: SINCE, secrt: 'cpi/orders-cf' } },
    'orders.cutover.secrt: unknown field, did you mean secret?',
  ],
  [
    'since misspelt',
    { ...orders, cutover: { secret: cutover.secret, sinse: SINCE } },
    'orders.cutover.sinse: unknown field, did you mean since?',
  ],
  [
    'an invalid setting on the new side',
    { ...orders, cutover: { ...cutover, url: 'http://flows.example.com/' } },
    'orders.cutover.url: expected an https: URL without user and fragment (http: for loopback hosts alone)',
  ],
  [
    'a setting on the new side of an adapter that it has not',
    { ...orders, cutover: { ...cutover, soapAction: 'urn:orders' } },
    'orders.cutover.soapAction: only for adapter soap or soap-rm',
  ],
  [
    'a mistake of the destination, told once',
    { ...orders, timeoutSeconds: 0, cutover },
    `orders.timeoutSeconds: ${whole('seconds', 1, 600)}`,
  ],
];

describeMistakes('a cut-over', mistakes);

test('a cut-over that repeats the destination is refused beside what is wrong with it', () => {
  const { secret } = orders;
  expect(problems({ orders: { ...orders, timeoutSeconds: 0, cutover: { since: SINCE, secret } } })).toEqual([
    `orders.timeoutSeconds: ${whole('seconds', 1, 600)}`,
    `orders.cutover: ${DIFFERS}`,
  ]);
});
