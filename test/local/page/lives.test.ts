/** What the page tells of a message whose way is not the plain one. */
import { describe, expect, test } from 'vitest';
import type { DestinationPlan } from '../../../infra/local/landscape.ts';
import type { MessageRow } from '../../../infra/local/page/message.ts';
import { WEBHOOK_USER } from '../../stories/stage.ts';
import { type Opened, openPage } from './opened.ts';

const ENVELOPE = 'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"';
const soap = (settings: object, sender: 'soap' | 'soap-rm' = 'soap'): DestinationPlan => ({
  name: 'orders',
  flow: { sender },
  settings: { adapter: sender, ...settings },
});
const change = (order: string) =>
  `--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\n` +
  `Content-Transfer-Encoding: binary\r\n\r\nPOST Orders HTTP/1.1\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${order.length}\r\n\r\n${order}\r\n--c--\r\n`;
const batch = (...orders: readonly string[]) => `${orders.map(change).join('')}--b--\r\n`;
const ORDER = '{"OrderID":"4711"}';
const odata = (flow: DestinationPlan['flow'] = {}): DestinationPlan => ({
  name: 'orders',
  flow: { sender: 'odata', ...flow },
  settings: { adapter: 'odata', path: '/gw/odata/SAP/orders;v=1/$batch' },
});
const BATCH = { contentType: 'multipart/mixed; boundary=b' };

async function newest({ messages }: Awaited<ReturnType<Opened['state']>>): Promise<MessageRow> {
  const [row] = messages;
  if (row === undefined) throw new Error('the page lists no message');
  return row;
}

describe('a payload that goes out in other bytes', () => {
  test.each<[string, DestinationPlan, string, Readonly<Record<string, string>>]>([
    ['put into an envelope', soap({ soapWrap: true }), '<?xml version="1.0"?>\n<a>ü</a>', {}],
    ['put into an envelope of SOAP 1.2', soap({ soapWrap: true, soapVersion: '1.2' }), '<a/>', {}],
    ['in an envelope for SAP RM', soap({ soapWrap: true }, 'soap-rm'), '<a/>', {}],
    [
      'in an envelope that gets the id',
      soap({ messageIdAs: 'header' }, 'soap-rm'),
      `<e:Envelope ${ENVELOPE}><e:Body><a/></e:Body></e:Envelope>`,
      {},
    ],
    ['a batch of which each operation runs by itself', odata(), batch(ORDER, '{"OrderID":"4712"}'), BATCH],
  ])('a payload is delivered, and its life has the call: %s', async (_what, plan, body, attributes) => {
    const stage = await openPage({ environment: 'cf', plans: [plan] });
    stage.send(stage.orders, { body, attributes });
    await stage.poll();
    const state = await stage.until('it is tried', ({ messages: [row] }) => row?.outcome !== undefined);
    const row = await newest(state);
    expect([row.place, row.outcome, state.figures.sums.lost], row.reason).toEqual(['delivered', 'delivered', 0]);
    const calls = (await stage.lifeOf(row)).filter((event) => event.what === 'call' && event.carries === 'message');
    expect(calls.at(-1)).toMatchObject({ executed: true });
    expect(calls.at(-1)).not.toHaveProperty('otherBytes');
  });

  test.each([
    ['soap', {}],
    ['soap', { idHeader: 'X-Order' }],
    ['soap-rm', {}],
    ['soap-rm', { messageIdAs: 'header' }],
  ] as const)('a payload by a direct webhook is one message, and delivered: %s %j', async (sender, settings) => {
    const webhook = { ...WEBHOOK_USER, mode: 'direct' as const };
    const plan = { ...soap({ soapWrap: true, ...settings }, sender), webhook };
    const stage = await openPage({ environment: 'cf', plans: [plan] });
    const headers = { 'X-Request-Id': 'order-1', 'Content-Type': 'application/xml' };
    expect((await stage.post('/webhooks/orders', { headers, body: '<a/>' })).status).toBeLessThan(300);
    const { messages, figures } = await stage.until('it is told', ({ messages: [row] }) => row?.outcome !== undefined);
    expect(messages.map(({ id, place }) => [id, place])).toEqual([['order-1', 'delivered']]);
    expect(figures.sums).toMatchObject({ sent: 1, delivered: 1 });
  });

  test('a batch of which an operation failed is not delivered', async () => {
    let runs = 0;
    const answer = () => (++runs === 2 ? ('exception' as const) : undefined);
    const stage = await openPage({ environment: 'cf', plans: [odata({ answer })] });
    stage.send(stage.orders, { body: batch(ORDER, '{"OrderID":"4712"}'), attributes: BATCH });
    await stage.poll();
    const { figures } = await stage.until('it is a dead letter', ({ figures: { sums } }) => sums.dead === 1);
    expect(figures.sums).toMatchObject({ sent: 1, delivered: 0 });
  });

  test('a message of which the node got other bytes is lost as soon as it is in no queue, and its call says so', async () => {
    const stage = await openPage({ plans: [soap({ soapWrap: true })] });
    const id = stage.send(stage.orders, { body: '<a/>' });
    const { status } = await callAsRelay(stage, id, `<e:Envelope ${ENVELOPE}><e:Body><b/></e:Body></e:Envelope>`);
    expect(status).toBe(200);
    const [{ receiptHandle } = { receiptHandle: '' }] = stage.orders.queue.receive();
    stage.orders.queue.delete(receiptHandle);
    const state = await stage.state();
    expect(state.figures.sums).toMatchObject({ sent: 1, delivered: 0, lost: 1 });
    const life = await stage.lifeOf(await newest(state));
    expect(life.find(({ what }) => what === 'call')).toMatchObject({ status: 200, otherBytes: true });
  });
});

describe('a message that waits', () => {
  test('a message that waits without an attempt says why, in the words of the log', async () => {
    const stage = await openPage({ plans: [{ name: 'orders', settings: { concurrency: 1 } }] });
    await stage.press('take-role');
    stage.sendMany(8);
    await stage.poll();
    const reason = 'not tried: the messages before them failed one after another';
    const { messages } = await stage.until(
      'three are postponed',
      ({ messages: all }) => all.filter((row) => row.reason === reason).length === 3,
    );
    expect(stage.told('delivery.postponed')).toMatchObject([{ messages: 3, reason }]);
    for (const row of messages) {
      const steps = (await stage.lifeOf(row)).filter(({ what }) => ['attempt', 'postponed'].includes(what));
      expect(steps).toMatchObject([row.reason === reason ? { what: 'postponed', reason } : { what: 'attempt' }]);
    }
  });

  test('a message that waits behind another of its group says behind which, on the page and in the list', async () => {
    const stage = await openPage({ plans: [{ name: 'orders', fifo: true }] });
    await stage.press('stop-node');
    const [head, next] = ['one', 'one'].map((group) => stage.send(stage.orders, { group }));
    await stage.poll();
    const state = await stage.until('both are hidden', ({ figures: { sums } }) => sums.hidden === 2);
    expect(state.messages.map(({ id, behind }) => [id, behind])).toEqual([
      [next, head],
      [head, undefined],
    ]);
    expect(await (await fetch(stage.page)).text()).toMatch(
      new RegExp(`hidden {2}${next}.* behind ${head} in its group`),
    );
  });

  test('a message that is with the relay keeps its visibility timeout: “Try hidden now” takes those that wait', async () => {
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const answer = async () => {
      reached.resolve();
      await goOn.promise;
      return undefined;
    };
    const stage = await openPage({ plans: [{ name: 'orders', flow: { answer } }] });
    stage.send(stage.orders);
    const polled = stage.poll();
    await reached.promise;
    expect((await stage.press('try-hidden-now')).done).toBe('No message is hidden.');
    expect(stage.orders.queue.messages).toMatchObject([{ state: 'in flight' }]);
    goOn.resolve();
    await polled;
    expect((await stage.state()).figures.sums).toMatchObject({ sent: 1, delivered: 1 });
  });
});

async function callAsRelay({ authorizationServer, runtimeNode, account, orders }: Opened, id: string, body: string) {
  const client = `${orders.clientId}:${account.client(orders.clientId)?.clientSecret}`;
  const Authorization = `Basic ${Buffer.from(client).toString('base64')}`;
  const token = await fetch(`${authorizationServer.tokenEndpoint}?grant_type=client_credentials`, {
    method: 'POST',
    headers: { Authorization },
  });
  const { access_token } = (await token.json()) as { access_token: string };
  return fetch(`${runtimeNode.url}/cxf/orders`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${access_token}`,
      'Content-Type': 'text/xml; charset=utf-8',
      SAP_ApplicationID: id,
    },
    body,
  });
}

test.each(['old', 'new'] as const)('a message of a cut-over says on which side it is: %s', async (side) => {
  const since = new Date(Date.now() + (side === 'old' ? 3_600_000 : -3_600_000)).toISOString();
  const stage = await openPage({ plans: [{ name: 'orders' }], cutover: { environment: 'cf', since } });
  stage.send(stage.orders);
  await stage.poll();
  const state = await stage.until('it is tried', ({ messages: [row] }) => row?.outcome !== undefined);
  const row = await newest(state);
  expect(row).toMatchObject({ place: 'delivered', side });
  expect(state.figures.sums).toMatchObject({ delivered: 1, lost: 0 });
  expect((await stage.lifeOf(row)).find(({ what }) => what === 'attempt')).toMatchObject({ side });
});
