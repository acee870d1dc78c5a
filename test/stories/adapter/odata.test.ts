import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DestinationPlan } from '../../../infra/local/landscape.ts';
import type { Deployment } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import type { Answer } from '../../../infra/local/server/server.ts';
import { type Stage, setStage } from '../stage.ts';

const SERVICE = '/gw/odata/SAP/orders;v=1';

function plan(settings: object = {}, flow: Partial<Deployment> = {}): DestinationPlan {
  return {
    name: 'orders',
    flow: { sender: 'odata', allowedHeaders: ['SAP_ApplicationID'], ...flow },
    settings: { adapter: 'odata', path: `${SERVICE}/Orders`, ...settings },
  };
}
function detailsOf({ orders }: Stage): unknown[] {
  return orders.deadLetterQueue.messages.map(
    ({ attributes }) => JSON.parse(attributes.deadLetter?.stringValue ?? '{}').detail,
  );
}
const entity = (fields: object = {}) => JSON.stringify({ OrderID: randomUUID(), Note: 'Müller', ...fields });

test('an entity is created after one fetch of a CSRF token at the service’s root, which runs no flow', async () => {
  const stage = await setStage({ plans: [plan()] });
  const ids = [stage.send(stage.orders, { body: entity() }), stage.send(stage.orders, { body: entity() })].sort();

  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.runtimeNode.messages[0]).toMatchObject({
    odata: { kind: 'create', entitySet: 'Orders' },
    droppedHeaders: [],
    headers: { accept: 'application/json', sap_applicationid: expect.stringMatching(/./) },
  });
  expect(stage.runtimeNode.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `HEAD ${SERVICE}/`,
    `POST ${SERVICE}/Orders`,
    `POST ${SERVICE}/Orders`,
  ]);
  expect(stage.outcomes()).toEqual({ 'delivered 201 yes 1': 2 });
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 2, left: 0, dead: 0 });
});

test('sessions that ended are opened anew, one for all', async () => {
  const stage = await setStage({ plans: [plan()], runtimeNode: { workers: 3 } });
  stage.send(stage.orders, { body: entity() });
  await stage.poll();
  stage.runtimeNode.dropCsrfSessions();
  const before = stage.runtimeNode.messages.length;
  for (let sent = 0; sent < 5; sent += 1) stage.send(stage.orders, { body: entity() });

  await stage.poll();

  expect(stage.runtimeNode.messages).toHaveLength(before + 5);
  expect(stage.tally()).toMatchObject({ calls: { 'HEAD 200': 2, 'POST 201': 6 }, left: 0, dead: 0 });
});

describe('The entity that the message names', () => {
  const PATH = { path: SERVICE, pathFrom: 'entity' };

  test.each([
    { method: 'PUT', kind: 'update' },
    { method: 'MERGE', kind: 'merge' },
    { method: 'PATCH', kind: 'merge' },
    { method: 'DELETE', kind: 'delete' },
  ])('the entity that the message names is the one that is changed by $method', async ({ method, kind }) => {
    const stage = await setStage({ plans: [plan()] });
    stage.send(stage.orders, { body: entity({ OrderID: '4711' }) });
    await stage.poll();
    await stage.deployed.queueFunction.updateEnvironment({
      ...stage.endpoints,
      DESTINATIONS: JSON.stringify({ orders: { ...stage.orders.settings, ...PATH, method } }),
    });
    stage.send(stage.orders, { body: '{"Note":"Söhne"}', attributes: { entity: "Orders('4711')" } });

    await stage.poll();

    expect(stage.runtimeNode.messages[1]).toMatchObject({ odata: { kind, key: '4711' }, status: 204 });
    expect(stage.outcomes()).toEqual({ 'delivered 201 yes 1': 1, 'delivered 204 yes 1': 1 });
  });

  test('an entity that does not exist makes the message a dead letter with the service’s words', async () => {
    const stage = await setStage({ plans: [plan({ ...PATH, method: 'MERGE' })] });
    stage.send(stage.orders, { body: '{"Note":"Söhne"}', attributes: { entity: "Orders('4712')" } });

    await stage.poll();

    expect(stage.attempts).toMatchObject([{ outcome: 'rejected', status: 404 }]);
    expect(stage.attempts[0]?.reason).toContain('with OData error: it will never');
    expect(detailsOf(stage)).toEqual(['Requested entity could not be found.']);
    expect(stage.tally()).toMatchObject({ left: 0, dead: 1 });
  });

  test.each(['../../secrets', 'Orders/%2e%2e/x', '//evil.example/x'])(
    'an entity that lies elsewhere is never called: %s',
    async (rest) => {
      const stage = await setStage({ plans: [plan(PATH)] });
      stage.send(stage.orders, { attributes: { entity: rest } });

      await stage.poll();

      expect(stage.outcomes('outcome', 'executed', 'calls')).toEqual({ 'rejected no 0': 1 });
      expect(stage.tally()).toMatchObject({ calls: {}, left: 0, dead: 1 });
    },
  );
});

describe('An error of the service', () => {
  test('an error of the message has its code in the log, and its text only in the dead letter', async () => {
    const value = "Invalid property 'Kowalczyk' of 'Orders'.";
    const body = JSON.stringify({ error: { code: 'SY/530', message: { lang: 'en', value } } });
    const answer = () => ({ status: 400, headers: { 'Content-Type': 'application/json' }, body });
    const stage = await setStage({ plans: [plan({}, { answer })] });
    stage.send(stage.orders, { body: entity({ Kowalczyk: 1 }) });

    await stage.poll();

    expect(stage.attempts).toMatchObject([{ outcome: 'rejected', status: 400 }]);
    expect(stage.attempts[0]?.reason).toContain('with OData error SY/530: it will never');
    expect(stage.output.join('\n')).not.toMatch(/Kowalczyk|Invalid property/);
    expect(detailsOf(stage)).toEqual([value]);
  });

  test('an error before the flow runs has no code, and makes the message a dead letter', async () => {
    const odata = { entitySets: { Orders: { key: 'OrderID', properties: { Price: 'Edm.Int32' } as const } } };
    const stage = await setStage({ plans: [plan({}, { odata })] });
    stage.send(stage.orders, { body: JSON.stringify({ OrderID: '1', Price: 'x' }) });

    await stage.poll();

    expect(stage.attempts).toMatchObject([{ outcome: 'rejected', status: 400 }]);
    expect(stage.attempts[0]?.reason).toContain('with OData error: it will never');
    expect(detailsOf(stage)).toEqual(['The request body is malformed.']);
    expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 0, dead: 1 });
  });

  test('an error of the flow keeps the message, with the MPL id', async () => {
    const stage = await setStage({ plans: [plan({}, { answer: () => ({ exception: 'Backend is down' }) })] });
    stage.send(stage.orders, { body: entity() });

    await stage.poll();

    const [message] = stage.runtimeNode.messages;
    expect(stage.attempts).toMatchObject([{ outcome: 'failed', status: 500, mplId: message?.mplId }]);
    expect(stage.attempts[0]?.reason).toContain('with OData error: kept');
    expect(stage.tally()).toMatchObject({ left: 1, dead: 0 });
  });
});

describe('A batch', () => {
  const PATH = { path: `${SERVICE}/$batch` };
  const changeSet = (request: string, body: string) =>
    [
      'Content-Type: multipart/mixed; boundary=changeset_1',
      '',
      '--changeset_1',
      'Content-Type: application/http',
      'Content-Transfer-Encoding: binary',
      '',
      `${request} HTTP/1.1`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
      '--changeset_1--',
      '',
    ].join('\r\n');
  const batch = (...parts: readonly string[]) => ({
    body: `${parts.map((part) => `--batch_1\r\n${part}\r\n`).join('')}--batch_1--\r\n`,
    attributes: { contentType: 'multipart/mixed; boundary=batch_1' },
  });

  test('a batch is delivered when each operation was carried out', async () => {
    const stage = await setStage({ plans: [plan(PATH)] });
    stage.send(stage.orders, batch(changeSet('POST Orders', entity()), changeSet('POST Orders', entity())));

    await stage.poll();

    expect(stage.runtimeNode.messages.map(({ odata }) => odata)).toMatchObject([
      { kind: 'create', batch: true },
      { kind: 'create', batch: true },
    ]);
    expect(stage.outcomes()).toEqual({ 'delivered 202 yes 1': 1 });
    expect(stage.tally()).toMatchObject({ calls: { 'HEAD 200': 1, 'POST 202': 1 }, left: 0, dead: 0 });
  });

  test('a batch that is not one is refused as a whole, and the message becomes a dead letter', async () => {
    const stage = await setStage({ plans: [plan(PATH)] });
    stage.send(stage.orders, batch(changeSet('POST Orders', entity()), changeSet('GET Orders', '')));

    await stage.poll();

    expect(stage.attempts).toMatchObject([{ outcome: 'rejected', status: 400 }]);
    expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 0, dead: 1 });
  });

  test('a batch of which all failed stays, and is delivered later', async () => {
    let failures = 0;
    const answer = () => (++failures <= 2 ? ('exception' as const) : undefined);
    const stage = await setStage({ plans: [plan(PATH, { answer })] });
    stage.send(stage.orders, batch(changeSet('POST Orders', entity()), changeSet('POST Orders', entity())));

    await stage.poll();
    expect(stage.attempts).toMatchObject([
      { outcome: 'failed', status: 202, executed: 'unknown', reason: expect.stringContaining('2 of 2 operations') },
    ]);
    await stage.pollAgain();

    expect(stage.outcomes('outcome')).toEqual({ failed: 1, delivered: 1 });
    expect(stage.tally()).toMatchObject({ flowRuns: 4, left: 0, dead: 0 });
  });

  describe.each<readonly [string, Answer, string]>([
    ['nothing', { status: 202 }, 'which operations were carried out is unknown'],
    [
      'a page',
      { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<h1>Sign in</h1>' },
      'which operations were carried out is unknown',
    ],
    [
      'one answer for two operations',
      {
        status: 202,
        headers: { 'Content-Type': 'multipart/mixed; boundary=b' },
        body: '--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n--b--\r\n',
      },
      'operation 1 of 2 was carried out; which operations were carried out is unknown beyond that',
    ],
  ])('that is answered with %s', (_, came, words) => {
    test.each([
      { resendPartialBatch: false, outcome: 'rejected', left: 0, dead: 1 },
      { resendPartialBatch: true, outcome: 'failed', left: 1, dead: 0 },
    ])(
      'a batch with an unreadable answer is not delivered: $outcome (resendPartialBatch: $resendPartialBatch)',
      async (expected) => {
        const { resendPartialBatch, outcome, ...counts } = expected;
        const stage = await setStage({ plans: [plan({ ...PATH, resendPartialBatch })] });
        stage.runtimeNode.server.fail({ fault: came, when: ({ method }) => method === 'POST' });
        stage.send(stage.orders, batch(changeSet('POST Orders', entity()), changeSet('POST Orders', entity())));

        await stage.poll();

        expect(stage.attempts).toMatchObject([{ outcome, status: came.status, executed: 'unknown' }]);
        expect(stage.attempts[0]?.reason).toContain(words);
        for (const { attributes } of stage.orders.deadLetterQueue.messages) {
          expect(JSON.parse(attributes.deadLetter?.stringValue ?? '{}').reason).toBe(stage.attempts[0]?.reason);
        }
        expect(stage.tally()).toMatchObject(counts);
      },
    );
  });

  test.each([
    { resendPartialBatch: false, outcome: 'rejected', left: 0, dead: 1 },
    { resendPartialBatch: true, outcome: 'failed', left: 1, dead: 0 },
  ])('a batch of which a part failed is $outcome (resendPartialBatch: $resendPartialBatch)', async (expected) => {
    const { resendPartialBatch, outcome, ...counts } = expected;
    let runs = 0;
    const answer = () => (++runs === 2 ? ('exception' as const) : undefined);
    const stage = await setStage({ plans: [plan({ ...PATH, resendPartialBatch }, { answer })] });
    stage.send(stage.orders, batch(changeSet('POST Orders', entity()), changeSet('POST Orders', entity())));

    await stage.poll();

    expect(stage.attempts).toMatchObject([{ outcome, status: 202, executed: 'unknown' }]);
    expect(stage.attempts[0]?.reason).toContain('1 of 2 operations of the batch failed, one with 500');
    expect(stage.tally()).toMatchObject({ flowRuns: 2, ...counts });
  });
});
