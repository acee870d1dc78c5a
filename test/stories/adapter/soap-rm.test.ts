import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DestinationPlan } from '../../../infra/local/landscape.ts';
import type { Deployment } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import { setStage } from '../stage.ts';

const envelope = (header = '<s:Header/>') =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">${header}<s:Body><o:Order xmlns:o="urn:acme"><o:Id>${randomUUID()}</o:Id></o:Order></s:Body></s:Envelope>`;

function plan(flow: Partial<Deployment> = {}, settings: object = {}): DestinationPlan {
  return { name: 'orders', flow: { sender: 'soap-rm', ...flow }, settings: { adapter: 'soap-rm', ...settings } };
}

describe('The message id', () => {
  test.each([
    { what: 'a GUID in the query', settings: {}, id: randomUUID() },
    {
      what: 'a GUID in SAP’s header',
      settings: { messageIdAs: 'header' },
      id: randomUUID(),
    },
    { what: 'a GUID made of another id', settings: {}, id: 'order-4711' },
    { what: 'any id as it is', settings: { messageIdFormat: 'as-is' }, id: 'order-4711' },
  ])('the message id reaches the flow as $what, without being among its allowed headers', async ({ settings, id }) => {
    const stage = await setStage({ plans: [plan({}, settings)] });
    const isMade = id === 'order-4711' && !('messageIdFormat' in settings);
    stage.send(stage.orders, { body: envelope(), attributes: { messageId: id } });

    await stage.poll();

    const messageId = isMade ? 'ada08dba-8e23-5c06-b234-1898e6785dee' : id;
    expect(stage.runtimeNode.messages).toMatchObject([
      { messageId, status: 202, headers: { SapMessageId: messageId }, droppedHeaders: [] },
    ]);
    expect(stage.attempts).toMatchObject([{ messageId: id, outcome: 'delivered', status: 202, executed: 'yes' }]);
    expect(stage.tally()).toMatchObject({ left: 0, dead: 0 });
  });

  test.each(['query', 'header'])(
    'the message id is the same over a new token, a failed flow, a lost answer and each redelivery (%s)',
    async (messageIdAs) => {
      let runs = 0;
      const answer = () => (++runs === 1 ? ('exception' as const) : undefined);
      const stage = await setStage({ plans: [plan({ answer }, { messageIdAs })] });
      stage.send(stage.orders, { body: envelope() });
      await stage.poll();
      stage.authorizationServer.expireAllTokens();
      await stage.pollAgain();

      const ids = stage.runtimeNode.messages.map(({ messageId }) => messageId);
      expect(ids).toEqual([stage.attempts[0]?.messageId, stage.attempts[0]?.messageId]);
      expect(stage.outcomes()).toEqual({ 'failed 500 unknown 1': 1, 'delivered 202 yes 2': 1 });
      expect(stage.tally()).toMatchObject({ calls: { 'POST 500': 1, 'POST 401': 1, 'POST 202': 1 }, left: 0, dead: 0 });
    },
  );

  test('the message id that the sender has put into its envelope stays', async () => {
    const own = `<s:Header><messageId xmlns="http://www.sap.com/webas/640/soap/features/messageId/">uuid:own</messageId></s:Header>`;
    const stage = await setStage({ plans: [plan({}, { messageIdAs: 'header' })] });
    stage.send(stage.orders, { body: envelope(own) });

    await stage.poll();

    expect(stage.runtimeNode.messages).toMatchObject([{ messageId: 'own' }]);
  });
});

describe('SAP RM does not deduplicate:', () => {
  /** An order whose first answer is lost after the flow has run. */
  async function answerLost(flow: Partial<Deployment>) {
    const stage = await setStage({ plans: [plan(flow)] });
    stage.send(stage.orders, { body: envelope() });
    stage.runtimeNode.server.fail({ fault: 'reset-after' });
    await stage.poll();
    expect(stage.attempts).toMatchObject([{ outcome: 'failed', executed: 'unknown' }]);
    await stage.pollAgain();
    expect(stage.tally()).toMatchObject({ flowRuns: 2, left: 0, dead: 0 });
    return stage;
  }

  test('SAP RM does not deduplicate: an answer that is lost makes the flow work twice', async () => {
    let work = 0;
    await answerLost({
      answer: () => {
        work += 1;
        return undefined;
      },
    });
    expect(work).toBe(2);
  });

  test('SAP RM with an idempotent process call on the id works once, since the id is the same', async () => {
    let work = 0;
    const stage = await answerLost({
      idempotentProcessCall: {},
      answer: () => {
        work += 1;
        return undefined;
      },
    });
    expect(work).toBe(1);
    expect(stage.runtimeNode.messages.map(({ duplicate }) => duplicate)).toEqual([false, true]);
  });
});

describe('Quality of service', () => {
  test('the quality of service is sent where it is set', async () => {
    const stage = await setStage({ plans: [plan({}, { qualityOfService: 'ExactlyOnce' })] });
    stage.send(stage.orders, { body: envelope() });

    await stage.poll();

    expect(stage.runtimeNode.messages).toMatchObject([{ soap: { qualityOfService: 'ExactlyOnce' } }]);
  });

  test('the quality of service in order has the group of a FIFO queue as the queue at SAP', async () => {
    const settings = { fifo: true, qualityOfService: 'ExactlyOnceInOrder', queueIdFromGroup: true };
    const stage = await setStage({ plans: [{ ...plan({}, settings), fifo: true }] });
    const groups = ['customer-1', 'customer-2', 'customer-1'];
    const ids = groups.map((group) => stage.send(stage.orders, { body: envelope(), group }));

    await stage.poll();

    const arrived = stage.runtimeNode.messages.map(({ messageId, soap }) => [soap?.queueId, messageId]);
    expect(arrived.filter(([queueId]) => queueId === 'customer-1').map(([, id]) => id)).toEqual([ids[0], ids[2]]);
    expect(arrived.filter(([queueId]) => queueId === 'customer-2').map(([, id]) => id)).toEqual([ids[1]]);
    expect(stage.runtimeNode.messages[0]?.soap?.qualityOfService).toBe('ExactlyOnceInOrder');
  });

  test('the quality of service in order goes to the queue that is set', async () => {
    const settings = { qualityOfService: 'ExactlyOnceInOrder', queueId: 'ORDERS_1' };
    const stage = await setStage({ plans: [plan({}, settings)] });
    stage.send(stage.orders, { body: envelope() });

    await stage.poll();

    expect(stage.runtimeNode.messages).toMatchObject([{ soap: { queueId: 'ORDERS_1' }, status: 202 }]);
  });
});

test.each([202, 200] as const)('an acknowledgement of %i is a success', async (acknowledgement) => {
  const stage = await setStage({
    plans: [plan({ soap: { acknowledgement } }, { soapVersion: '1.2', soapWrap: true })],
  });
  stage.send(stage.orders, { body: '<o:Order xmlns:o="urn:acme">hunter22</o:Order>' });

  await stage.poll();

  expect(stage.outcomes()).toEqual({ [`delivered ${acknowledgement} yes 1`]: 1 });
});
