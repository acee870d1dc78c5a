/**
 * Runs of the whole relay on simulated time, with what goes wrong from minute 60 on, and what CloudWatch makes of
 * their metrics: which alarms are red and from when, and who is called, once. Minutes are counted from the beginning
 * of the run.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Bundle, bundleRelay } from '../simulation/bundle.ts';
import { SLOW_FLOW } from '../simulation/faults.ts';
import { simulate } from '../simulation/world.ts';
import { alarmsOver, type Day, MINUTE_MS, measured, planOf, STARTS_AT, short } from './replayed.ts';

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleRelay();
});

interface Seen {
  /** Alarm → the minute in which it went red first, and whether it was red but once. */
  readonly red: Readonly<Record<string, { readonly from: number; readonly times: number; readonly to: number }>>;
  readonly told: readonly { readonly minute: number; readonly name: string }[];
}

/** Looked at for so long that every alarm has had time to end. */
async function seen(day: Day): Promise<Seen> {
  const { metrics, watch } = measured();
  const { ledger } = await simulate(planOf(day), bundle, watch);
  expect(ledger.violations).toEqual([]);
  const { states, told } = alarmsOver(metrics, day.hours + 1, day.of);
  const minuteOf = (at: number) => Math.round((at - STARTS_AT) / MINUTE_MS);
  return {
    red: Object.fromEntries(
      [...states].map(([name, times]) => [
        short(name),
        { from: minuteOf(times[0]?.from ?? 0), to: minuteOf(times.at(-1)?.to ?? 0), times: times.length },
      ]),
    ),
    told: told.map(({ at, name }) => ({ minute: minuteOf(at), name: short(name) })),
  };
}

const BEGINS = 60;
/** From minute 60 on. */
const fault = (kind: string, minutes: number, more: object = {}) => ({
  kind,
  fromMs: BEGINS * MINUTE_MS,
  toMs: (BEGINS + minutes) * MINUTE_MS,
  ...more,
});
const rejecting = (share: number) => (number: number, name: string, atMs: number) =>
  name === 'orders' && atMs > BEGINS * MINUTE_MS && atMs < 90 * MINUTE_MS && number % share === 0 ? 422 : 200;

/** Three messages, one after another, keep each function for five minutes, and nearly as many come. */
const SLOW: Day = {
  hours: 0.5,
  everySeconds: { orders: 56, stock: 58, invoices: 120 },
  of: { timeoutSeconds: 240, concurrency: 1, batchSize: 3 },
  faults: [{ kind: SLOW_FLOW, toMs: 3_600_000 }],
};

describe('Nobody is called', () => {
  test.each<[string, Day]>([
    ['on a healthy day', { hours: 24, everySeconds: { orders: 60, stock: 60, invoices: 60 } }],
    ['where a runtime node is restarted within two minutes', { hours: 3, faults: [fault('node: 503', 2)] }],
    [
      'where keys and secrets are rotated as they should be',
      { hours: 3, faults: [fault('token: key rotated', 5), fault('secret: rotated', 1)] },
    ],
    ['where an execution environment is recycled each minute', { hours: 2, faults: [fault('lambda: recycled', 60)] }],
    ['where the endpoint is slow for an hour', { hours: 3, faults: [fault('node: slow', 60, { share: 0.05 })] }],
    ['where a flow takes 100 s for each call, and its functions are busy all the time', SLOW],
  ])('%s', async (_, day) => {
    expect(await seen(day)).toEqual({ red: {}, told: [] });
  });
});

/** Alarm → within how many minutes of the fault it is red. */
type Within = Readonly<Record<string, number>>;

describe('One outage is one call, and every alarm that is about it is red within its window, once:', () => {
  test.each<[string, Day, string, Within]>([
    [
      'the runtime node is down for an hour',
      { hours: 4, faults: [fault('node: 503', 60)] },
      'sap-down',
      {
        'sap-down': 5,
        'orders-failing': 5,
        'stock-failing': 5,
        'orders-not-delivered': 21,
        'stock-not-delivered': 21,
        'invoices-not-delivered': 21,
      },
    ],
    [
      'it is down, and most destinations have little to send',
      { hours: 4, everySeconds: { orders: 10, stock: 400, invoices: 900 }, faults: [fault('node: 503', 60)] },
      'needs-a-person',
      {
        'orders-failing': 5,
        'orders-not-delivered': 21,
        'stock-not-delivered': 35,
        'invoices-not-delivered': 35,
        'sap-down': 35,
      },
    ],
    [
      'it is down, and each destination has a message an hour, at the same time',
      { hours: 5, everySeconds: { orders: 3_600, stock: 3_600, invoices: 3_600 }, faults: [fault('node: 503', 90)] },
      'needs-a-person',
      { 'orders-not-delivered': 31, 'stock-not-delivered': 31, 'invoices-not-delivered': 31, 'sap-down': 31 },
    ],
    [
      'it is down, and destinations with a message an hour notice half an hour apart',
      { hours: 5, everySeconds: { orders: 3_600, stock: 5_400, invoices: 9_000 }, faults: [fault('node: 503', 120)] },
      'needs-a-person',
      { 'orders-not-delivered': 31, 'stock-not-delivered': 61, 'sap-down': 61 },
    ],
    [
      'it is down, and destinations notice one after another',
      { hours: 4, everySeconds: { orders: 10, stock: 60, invoices: 60 }, faults: [fault('node: 503', 60)] },
      'sap-down',
      { 'orders-failing': 5, 'stock-failing': 15, 'orders-not-delivered': 21 },
    ],
    [
      'every address is wrong',
      { hours: 4, faults: [fault('node: 404', 60)] },
      'sap-down',
      { 'orders-blocked': 2, 'stock-blocked': 2, 'invoices-blocked': 2, 'orders-not-picked-up': 20 },
    ],
    [
      'the authorization server refuses all clients',
      { hours: 5, faults: [fault('token: 401', 120)] },
      'sap-down',
      // Long before anything is blocked: tokens are renewed ahead of their end.
      { 'invoices-token-refused': 30, 'stock-token-refused': 30, 'orders-token-refused': 60, 'stock-blocked': 61 },
    ],
    [
      'a role is taken away',
      { hours: 4, faults: [fault('node: role taken away', 60)] },
      'needs-a-person',
      { 'orders-blocked': 2, 'orders-not-delivered': 35 },
    ],
    [
      'a flow is undeployed',
      { hours: 4, faults: [fault('node: flow undeployed', 60)] },
      'needs-a-person',
      { 'orders-blocked': 2 },
    ],
    [
      'a secret is stored an hour after it was rotated',
      { hours: 4, faults: [fault('secret: stored late', 60)] },
      'needs-a-person',
      { 'orders-token-refused': 2, 'orders-blocked': 2 },
    ],
    [
      'a secret is malformed',
      { hours: 4, faults: [fault('secret: malformed', 60), fault('lambda: recycled', 60)] },
      'needs-a-person',
      { 'orders-blocked': 4 },
    ],
    [
      'nobody polls a queue',
      { hours: 4, faults: [fault('queue: not polled', 60)] },
      'needs-a-person',
      { 'orders-nobody-polls': 6, 'orders-not-picked-up': 20 },
    ],
    [
      'SQS takes nothing from webhooks',
      { hours: 3, faults: [fault('sqs: refused', 10)] },
      'needs-a-person',
      { 'stock-webhook-not-queued': 2 },
    ],
    [
      'functions are killed',
      { hours: 3, faults: [fault('node: slow', 10), fault('lambda: killed', 10)] },
      'needs-a-person',
      { 'queue-function-errors': 3 },
    ],
  ])('%s', async (_, day, called, within) => {
    const { red, told } = await seen(day);
    expect(told.map(({ name }) => name)).toEqual([called]);
    expect(told[0]?.minute).toBeLessThanOrEqual(BEGINS + Math.min(...Object.values(within)) + 10);
    for (const [alarm, minutes] of Object.entries(within)) {
      expect(red[alarm], alarm).toMatchObject({ times: 1 });
      expect(red[alarm]?.from, alarm).toBeGreaterThanOrEqual(BEGINS);
      expect(red[alarm]?.from, alarm).toBeLessThanOrEqual(BEGINS + minutes);
    }
    // All of it is over in the end, at the latest with the longest look back.
    for (const [alarm, { to }] of Object.entries(red)) expect(to, alarm).toBeLessThan((day.hours + 1) * 60);
  });
});

test('What has waited in a queue for 20 minutes, and then is rejected or fails once, is nothing that SAP does not take', async () => {
  const unpolled = (destination: string) => fault('queue: not polled', 20, { destination });
  const waited = (atMs: number) => atMs > BEGINS * MINUTE_MS && atMs < (BEGINS + 5) * MINUTE_MS;
  const { red } = await seen({
    hours: 2,
    faults: [unpolled('orders'), unpolled('invoices')],
    verdictOf: (number, name, atMs) => (name === 'orders' && number % 4 === 0 && waited(atMs) ? 422 : 200),
    failuresOf: (number, name, atMs) => Number(name !== 'stock' && number % 4 === 1 && waited(atMs)),
  });
  expect(Object.keys(red)).toEqual(expect.arrayContaining(['orders-not-picked-up', 'orders-rejected']));
  expect(Object.keys(red).filter((name) => name.endsWith('-not-delivered'))).toEqual([]);
});

describe('What a flow rejects', () => {
  test('is told by mail, and calls nobody while it is little; dead letters stay red until somebody looks at them', async () => {
    const { red, told } = await seen({ hours: 3, verdictOf: (number) => (number === 1_000_190 ? 422 : 200) });
    expect(told.map(({ name }) => name).sort()).toEqual(['orders-dead-letters', 'orders-rejected']);
    expect(red['orders-dead-letters']).toMatchObject({ times: 1 });
    expect(red['orders-dead-letters']?.to).toBeGreaterThan(180);
    expect(red['orders-rejected']).toMatchObject({ times: 1 });
    expect(red).not.toHaveProperty('needs-a-person');
  });

  test('calls somebody where it is more than one in twenty', async () => {
    const { red, told } = await seen({ hours: 3, verdictOf: rejecting(5) });
    expect(red['orders-rejected-often']).toMatchObject({ times: 1 });
    expect(red['orders-rejected-often']?.from).toBeLessThanOrEqual(BEGINS + 15);
    expect(told.map(({ name }) => name).filter((name) => name === 'needs-a-person')).toHaveLength(1);
  });

  test('in FIFO calls somebody at once: what comes after it has gone on', async () => {
    const { told } = await seen({ hours: 2, verdictOf: (number) => (number === 3_000_100 ? 422 : 200) });
    expect(told.map(({ name }) => name)).toEqual(['invoices-rejected', 'needs-a-person']);
  });
});

test('What else goes wrong while a host at SAP is down is told as well, when it has to stand out', async () => {
  const faults = [
    fault('node: 503', 120),
    { ...fault('queue: not polled', 100), fromMs: 80 * MINUTE_MS, toMs: 180 * MINUTE_MS },
  ];
  const { told } = await seen({ hours: 5, faults });
  expect(told.map(({ name }) => name)).toEqual(['sap-down', 'needs-a-person']);
});
