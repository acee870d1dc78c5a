/** What `npm run package` says of a cut-over, and of one that was another in the package before. */
import { describe, expect, test } from 'vitest';
import { cutoverLines, movedLines } from '../../infra/deploy/cutover.ts';
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
    expect(cutoverLines(configuration({ orders: { ...flow, cutover } }), EARLIER)).toEqual([
      '',
      'orders: cut-over at 2027-03-06T20:00:00Z',
      '  old side  https://neo.example.com/http/orders by cpi/orders-neo: what is sent before, and 90 % of the messages since then',
      '  new side  /http/orders by cpi/orders-cf: 10 % of the messages sent since then',
      '  In flight: a message keeps its side for all its tries. Back: a later since, or no cutover at all.',
    ]);
  });

  test('a cut-over of a FIFO queue goes by groups', () => {
    const lines = cutoverLines(configuration({ orders: { ...flow, fifo: true, cutover } }), EARLIER);
    expect(lines.join('\n')).toContain('10 % of the groups sent since then');
  });

  test('a cut-over whose time is over is warned about', () => {
    const lines = cutoverLines(configuration({ orders: { ...flow, cutover } }), EARLIER + 1);
    expect(lines.at(-1)).toContain('2027-03-06T20:00:00Z is over');
  });

  test('a cut-over is not spoken of where there is none', () => {
    expect(cutoverLines(configuration({ orders: flow }), EARLIER)).toEqual([]);
  });
});

describe('A package that changes a cut-over', () => {
  test.each([
    ['taken out', undefined, 'taken out'],
    [
      'with a later since',
      { ...cutover, since: '2027-03-07T20:00:00Z' },
      `moved from ${SINCE} to 2027-03-07T20:00:00Z`,
    ],
    ['with an earlier since', { ...cutover, since: '2027-03-05T20:00:00Z' }, `moved from ${SINCE} to 2027-03-05T20`],
    ['with a larger share', { ...cutover, share: 50 }, 'share is raised from 10 to 50'],
    ['with all', { ...cutover, share: undefined }, 'share is raised from 10 to 100'],
    ['with a smaller share', { ...cutover, share: 0 }, 'share is lowered from 10 to 0'],
  ])('a changed cut-over, %s, is warned about', (_, is, words) => {
    const made = configuration({ orders: { ...flow, ...(is && { cutover: is }) } });
    const [line, ...others] = movedLines({ orders: { ...flow, cutover } }, made);
    expect(others).toEqual([]);
    expect(line).toContain(`orders.cutover: `);
    expect(line).toContain(words);
    expect(line).toContain('npm run doctor -- --cutover');
  });

  test.each([
    ['nothing', undefined],
    ['no such destination', { invoices: { cutover } }],
    ['none before', { orders: flow }],
    ['the same, written otherwise', { orders: { cutover: { ...cutover, since: '2027-03-06T21:00:00+01:00' } } }],
    ['what cannot be read', { orders: { cutover: { since: 'tomorrow', share: 'all' } } }],
  ])('a package before with %s is no reason for a warning', (_, before) => {
    expect(movedLines(before, configuration({ orders: { ...flow, cutover } }))).toEqual([]);
  });
});
