/** What `npm run package` says of a cut-over, and of one that was another in the package before. */
import { describe, expect, test } from 'vitest';
import { cutoverLines, movedLines, notComparedLines } from '../../infra/deploy/cutover.ts';
import { readConfiguration } from '../../infra/deploy/stack/configuration.ts';

const SINCE = '2027-03-06T20:00:00Z';
const flow = { secret: 'cpi/orders-neo', url: 'https://neo.example.com/http/orders' };
const cutover = { secret: 'cpi/orders-cf', path: '/http/orders', since: SINCE, share: 10 };
const EARLIER = Date.parse(SINCE) - 1;

function configuration(destinations: object) {
  return readConfiguration({ service: 'token-relay', stage: 'dev', region: 'eu-central-1', custom: { destinations } });
}

describe('A cut-over in what is packaged', () => {
  test('a cut-over is told with both sides, and with what becomes of messages in flight', () => {
    expect(cutoverLines(configuration({ orders: { ...flow, cutover } }))).toEqual([
      '',
      'orders: cut-over at 2027-03-06T20:00:00Z',
      '  old side  https://neo.example.com/http/orders by cpi/orders-neo',
      '            what is sent before, and 90 % of the messages since then',
      '  new side  /http/orders by cpi/orders-cf',
      '            10 % of the messages sent since then',
      '  In flight: a message keeps its side for all its tries.',
      '  Back: a later since, or no cutover at all.',
    ]);
  });

  test('a cut-over of a FIFO queue goes by groups', () => {
    const lines = cutoverLines(configuration({ orders: { ...flow, fifo: true, cutover } }));
    expect(lines.join('\n')).toContain('10 % of the groups sent since then');
  });

  test('a cut-over is not spoken of where there is none', () => {
    expect(cutoverLines(configuration({ orders: flow }))).toEqual([]);
  });
});

describe('A package that changes a cut-over', () => {
  const before = { orders: { ...flow, cutover } };
  const LATER = '2027-03-07T20:00:00Z';
  const over = Date.parse(LATER) + 1;
  const swapped = { secret: cutover.secret, path: cutover.path, cutover: { ...flow, since: SINCE, share: 10 } };
  const told = (is: object, now: number) => movedLines(before, configuration({ orders: is }), now);

  test.each([
    ['taken out', flow, ['cutover is taken out'], `sent from ${SINCE} on`],
    [
      'with a later since',
      { ...flow, cutover: { ...cutover, since: LATER } },
      [`since is moved from ${SINCE} to ${LATER}`],
      `sent from ${SINCE} on, before ${LATER}`,
    ],
    [
      'with an earlier since',
      { ...flow, cutover: { ...cutover, since: '2027-03-05T20:00:00Z' } },
      [`since is moved from ${SINCE} to 2027-03-05T20:00:00Z`],
      `sent from 2027-03-05T20:00:00Z on, before ${SINCE}`,
    ],
    [
      'with a larger share',
      { ...flow, cutover: { ...cutover, share: 50 } },
      ['share is raised from 10 to 50'],
      `sent from ${SINCE} on`,
    ],
    [
      'with all',
      { ...flow, cutover: { ...cutover, share: undefined } },
      ['share is raised from 10 to 100'],
      `sent from ${SINCE} on`,
    ],
    [
      'with a smaller share, from earlier on',
      { ...flow, cutover: { ...cutover, share: 0, since: '2027-03-05T20:00:00Z' } },
      [`since is moved from ${SINCE} to 2027-03-05T20:00:00Z`, 'share is lowered from 10 to 0'],
      `sent from ${SINCE} on`,
    ],
    ['with its sides swapped', swapped, ['old and new side have changed places'], 'all of them'],
    [
      'with another new side',
      { ...flow, cutover: { ...cutover, secret: 'cpi/other' } },
      ['the new side is another one'],
      `sent from ${SINCE} on`,
    ],
    [
      'with another new address',
      { ...flow, cutover: { ...cutover, path: '/http/other' } },
      ['the new side is another one'],
      `sent from ${SINCE} on`,
    ],
    [
      'with another old side',
      { ...flow, secret: 'cpi/other', cutover },
      ['the old side is another one'],
      'all of them',
    ],
    [
      'with another old address',
      { ...flow, url: 'https://other.example.com/http/orders', cutover },
      ['the old side is another one'],
      'all of them',
    ],
    [
      'finished',
      { secret: cutover.secret, path: cutover.path },
      ['cutover is taken out', 'the old side is another one'],
      'all of them',
    ],
  ])('a changed cut-over, %s, is warned about once its time is over', (_, is, changes, which) => {
    expect(told(is, over)).toEqual([
      'orders.cutover: messages in flight would go elsewhere than before',
      ...changes.map((change, index) => `  ${index === 0 ? 'why  ' : '     '}  ${change}`),
      `  which  ${which}`,
      '  so     one whose outcome is unknown may run twice: how many at most, says',
      '         npm run doctor -- --cutover',
    ]);
  });

  test('a first cut-over whose time is over is warned about', () => {
    const made = configuration({ orders: { ...flow, cutover } });
    const lines = movedLines({ orders: flow }, made, over);
    expect(lines).toContain(`  why    the cut-over is new, and ${SINCE} is over`);
    expect(lines).toContain(`  which  sent from ${SINCE} on`);
  });

  test.each([
    ['sides swapped', swapped],
    ['another old side', { ...flow, secret: 'cpi/other', cutover }],
  ])('%s ahead of its time is warned about: all that is in flight is on the old side', (_, is) => {
    expect(told(is, EARLIER)).toContain('  which  all of them');
  });

  test.each([
    ['taken out', flow],
    ['with a later since', { ...flow, cutover: { ...cutover, since: LATER } }],
    ['with another time ahead', { ...flow, cutover: { ...cutover, since: '2027-03-06T21:00:00Z' } }],
    ['with a larger share', { ...flow, cutover: { ...cutover, share: 50 } }],
    ['with a smaller share', { ...flow, cutover: { ...cutover, share: 0 } }],
  ])('a cut-over that is changed ahead of its time moves nothing: %s', (_, is) => {
    expect(told(is, EARLIER)).toEqual([]);
  });

  test('another new side ahead of its time moves nothing, and is to be looked at again', () => {
    expect(told({ ...flow, cutover: { ...cutover, secret: 'cpi/other' } }, EARLIER)).toEqual([
      'orders.cutover: the new side is another one; it moves nothing in flight',
      '  look at both sides again: npm run doctor -- --cutover',
    ]);
  });

  test.each([
    ['nothing', undefined],
    ['no such destination', { invoices: { ...flow, cutover } }],
    ['none before', { orders: flow }, EARLIER],
    [
      'the same, written otherwise',
      { orders: { ...flow, cutover: { ...cutover, since: '2027-03-06T21:00:00+01:00' } } },
    ],
    ['a cut-over that cannot be read', { orders: { ...flow, cutover: { since: 'tomorrow', share: 'all' } } }],
    ['a cut-over that is a time', { orders: { ...flow, cutover: SINCE } }],
  ])('a package before with %s is no reason for a warning', (_, old, now = over) => {
    expect(movedLines(old, configuration({ orders: { ...flow, cutover } }), now)).toEqual([]);
  });

  test('another tenant without any cut-over is not spoken of', () => {
    expect(movedLines({ orders: flow }, configuration({ orders: { ...flow, secret: 'cpi/other' } }), over)).toEqual([]);
  });

  test('a cut-over whose time is over, with no package before, is said not to be compared', () => {
    const made = configuration({ orders: { ...flow, cutover }, invoices: flow });
    expect(notComparedLines(made, EARLIER)).toEqual([]);
    expect(notComparedLines(made, over)[0]).toBe(`orders.cutover: ${SINCE} is over, and no package before is here`);
  });

  test('what is said of a cut-over fits a terminal', () => {
    const made = configuration({ orders: { ...flow, cutover: { ...cutover, since: LATER } } });
    const lines = [
      ...movedLines(before, made, over),
      ...told({ ...flow, cutover: { ...cutover, secret: 'cpi/other' } }, EARLIER),
      ...notComparedLines(made, over),
      ...cutoverLines(made),
    ];
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});
