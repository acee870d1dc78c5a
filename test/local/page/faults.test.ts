import { expect, test } from 'vitest';
import { type Opened, openPage } from './opened.ts';

/** What a button is pressed with, and what is true of the landscape then. */
type Effect = readonly [fault: string, fields: object | undefined, holds: (opened: Opened) => void | Promise<void>];

const call = async ({ runtimeNode }: Opened) => (await fetch(`${runtimeNode.url}/http/orders`)).status;
const tokenStatus = async ({ authorizationServer }: Opened) =>
  (await fetch(authorizationServer.tokenEndpoint, { method: 'POST' })).status;
const storedSecret = ({ secretsManager }: Opened) => {
  const headers = { 'x-amz-target': 'secretsmanager.GetSecretValue' };
  const body = Buffer.from('{"SecretId":"cpi/orders"}');
  const request = {
    method: 'POST',
    path: '/',
    query: new URLSearchParams(),
    target: '/',
    headers,
    rawHeaders: [],
    body,
  };
  return String(secretsManager.answer(request).body);
};
const sapSecret = ({ account, orders }: Opened) => account.client(orders.clientId)?.clientSecret ?? 'none';
const hasEnded = (promise: Promise<unknown>) => expect(promise).rejects.toThrow();

const EFFECTS: readonly Effect[] = [
  [
    'rotate-signing-key',
    undefined,
    ({ authorizationServer }) => expect(authorizationServer.trust.keysVersion()).toBe(1),
  ],
  ['expire-tokens', {}, ({ authorizationServer }) => expect(authorizationServer.trust.keysVersion()).toBe(1)],
  ['rotate-secret', {}, (opened) => expect(storedSecret(opened)).toContain(sapSecret(opened))],
  ['rotate-secret-at-sap', {}, (opened) => expect(storedSecret(opened)).not.toContain(sapSecret(opened))],
  [
    'store-secret',
    {},
    async (opened) => {
      opened.orders.rotateSecret({ store: false });
      expect(storedSecret(opened)).not.toContain(sapSecret(opened));
      await opened.press('store-secret');
      expect(storedSecret(opened)).toContain(sapSecret(opened));
    },
  ],
  ['take-role', { destination: 'orders' }, ({ orders }) => expect(orders.hasRole()).toBe(false)],
  [
    'give-role',
    {},
    async ({ orders, press }) => {
      await press('take-role');
      await press('take-role');
      expect(orders.hasRole()).toBe(false);
      await press('give-role');
      expect(orders.hasRole()).toBe(true);
    },
  ],
  ['stop-node', {}, (opened) => hasEnded(call(opened))],
  [
    'start-node',
    {},
    async (opened) => {
      await opened.press('stop-node');
      await opened.press('start-node');
      expect(await call(opened)).toBe(401);
    },
  ],
  ['stop-authorization-server', {}, (opened) => hasEnded(tokenStatus(opened))],
  [
    'start-authorization-server',
    {},
    async (opened) => {
      await opened.press('stop-authorization-server');
      await opened.press('start-authorization-server');
      expect(await tokenStatus(opened)).toBe(401);
    },
  ],
  ['slow', { ms: 1_500 }, ({ runtimeNode }) => expect(runtimeNode.server.delayMs).toBe(1_500)],
  [
    'slow',
    { system: 'authorization-server', ms: 20 },
    async ({ authorizationServer: { server }, press }) => {
      expect(server.delayMs).toBe(20);
      await press('slow', { system: 'authorization-server', ms: 0 });
      expect(server.delayMs).toBe(0);
    },
  ],
  [
    'cut',
    { times: 1 },
    async (opened) => {
      await hasEnded(call(opened));
      expect(await call(opened)).toBe(401);
    },
  ],
  ['cut', { how: 'after', times: 1, system: 'authorization-server' }, (opened) => hasEnded(tokenStatus(opened))],
  ['cut', { how: 'within', times: 2 }, ({ runtimeNode }) => expect(runtimeNode.server.pendingFaults).toBe(2)],
  [
    'answer',
    { status: '429', times: 2 },
    async (opened) => expect([await call(opened), await call(opened), await call(opened)]).toEqual([429, 429, 401]),
  ],
  ['answer', { status: '503', times: 1 }, async (opened) => expect(await call(opened)).toBe(503)],
  [
    'answer',
    { status: '500', system: 'authorization-server', times: 1 },
    async (opened) => expect([await tokenStatus(opened), await tokenStatus(opened)]).toEqual([500, 401]),
  ],
  [
    'answer',
    { status: '500', destination: 'orders', times: 1 },
    async ({ orders, send, poll, attempts }) => {
      send(orders);
      await poll();
      expect(attempts).toMatchObject([{ outcome: 'failed', status: 500, mplId: expect.any(String) }]);
    },
  ],
  [
    'refuse-payload',
    { destination: 'orders' },
    async ({ orders, send, poll, attempts }) => {
      send(orders);
      await poll();
      send(orders);
      await poll();
      expect(attempts.map(({ outcome, status }) => `${outcome} ${status}`)).toEqual(['rejected 422', 'delivered 200']);
      expect(orders.deadLetterQueue.size).toBe(1);
    },
  ],
  [
    'try-hidden-now',
    undefined,
    async ({ orders, press, send, poll }) => {
      await press('stop-node');
      send(orders);
      await poll();
      expect(orders.queue.messages).toMatchObject([{ state: 'in flight' }]);
      expect((await press('try-hidden-now')).done).toBe('The wait of 1 hidden message is over.');
      expect(orders.queue.messages).toMatchObject([{ state: 'visible' }]);
      await press('start-node');
      await poll();
      expect(orders.queue.size).toBe(0);
      expect((await press('try-hidden-now')).done).toBe('No message is hidden.');
    },
  ],
  ['csrf-off', { destination: 'orders' }, ({ orders }) => expect(orders.flow.csrfProtected).toBe(false)],
  [
    'csrf-on',
    {},
    async ({ orders, press, send, poll, runtimeNode }) => {
      await press('csrf-off');
      send(orders);
      await poll();
      await press('csrf-on');
      send(orders);
      await poll();
      expect(runtimeNode.requests.map(({ method, status }) => `${method} ${status}`)).toEqual([
        'POST 200',
        'POST 403',
        'HEAD 200',
        'POST 200',
      ]);
    },
  ],
  ['send-sample', { destination: 'orders', times: 4 }, ({ orders }) => expect(orders.queue.size).toBe(4)],
  [
    'knock',
    { destination: 'orders' },
    async ({ until }) => {
      const { refused } = await until('one was refused', ({ refused: all }) => all.length > 0);
      expect(refused).toMatchObject([{ status: 401, destination: 'orders', verify: 'basic' }]);
    },
  ],
  [
    'replay-letters',
    {},
    async ({ orders, press, send, poll, until }) => {
      await press('refuse-payload');
      const id = send(orders);
      await poll();
      expect(await press('replay-letters')).toEqual({
        status: 200,
        done: 'The letters of orders: listed 1, selected 1, sent 1, deleted 1, failed 0.',
      });
      await poll();
      const { messages } = await until('it is delivered', ({ figures: { sums } }) => sums.delivered === 1);
      expect(messages).toMatchObject([{ id, place: 'delivered' }]);
    },
  ],
  [
    'heal',
    {},
    async ({ press, state, orders, ...opened }) => {
      const broken = [
        ['stop-node'],
        ['slow', { system: 'authorization-server', ms: 5_000 }],
        ['answer', { system: 'authorization-server' }],
        ['answer', { status: '500' }],
        ['cut', {}],
        ['take-role', {}],
        ['refuse-payload', {}],
        ['csrf-off', {}],
        ['rotate-secret-at-sap', {}],
      ] as const;
      for (const [name, fields] of broken) expect((await press(name, fields)).status).toBe(200);
      expect((await state()).figures.faults).toEqual([
        'The runtime node is stopped.',
        'The runtime node fails 3 more times.',
        'The authorization server answers 5000 ms later.',
        'The authorization server fails 3 more token requests.',
        'The client of orders has no role.',
        'Secrets Manager has an old secret of orders.',
        'The flow orders refuses 1 more message.',
        'The flow orders fails on 3 more messages.',
      ]);
      await press('heal');
      expect((await state()).figures.faults).toEqual([]);
      opened.send(orders);
      await opened.poll();
      expect(opened.attempts).toMatchObject([{ outcome: 'delivered', calls: 2 }]);
    },
  ],
];

test.each(EFFECTS)('POST /faults/%s %j does what it says', async (fault, fields, holds) => {
  const opened = await openPage();
  const { status, done } = await opened.press(fault, fields);
  expect([status, done]).toEqual([200, expect.stringMatching(/\w/)]);
  await holds(opened);
});

test('every button of the page is pressed above', async () => {
  const { faults } = await (await openPage()).state();
  expect([...new Set(EFFECTS.map(([name]) => name))].sort()).toEqual(faults.map(({ name }) => name).sort());
});

test('a press that cannot be done is a mistake, and says which', async () => {
  const { press, orders } = await openPage();
  const mistakes = [
    ['no-such-fault', {}, /^there is no fault no-such-fault; there are: /],
    ['send-sample', { times: 0 }, /^times: expected a whole number from 1 to 10000$/],
    ['send-sample', { times: '3' }, /^times: expected a whole number/],
    ['send-sample', { destination: '__proto__' }, /^destination: expected orders$/],
    ['slow', { system: 'constructor' }, /^system: expected runtime-node, authorization-server$/],
    ['heal', { now: true }, /^now: heal has no such field$/],
    ['heal', [], /^the body: expected a JSON object$/],
    ['send-sample', { destination: 'x'.repeat(5_000) }, /^the body is larger than 4096 bytes$/],
  ] as const;
  for (const [fault, fields, words] of mistakes) {
    expect(await press(fault, fields)).toEqual({ status: 400, error: expect.stringMatching(words) });
  }
  expect(orders.queue.size).toBe(0);
});

test('what a destination does not have cannot be broken, such as CSRF protection of SOAP', async () => {
  const { press, poll, attempts } = await openPage({
    environment: 'cf',
    tls: true,
    plans: [
      { name: 'invoices', flow: { sender: 'soap' }, settings: { adapter: 'soap' } },
      { name: 'certified', client: { credentialType: 'certificate' } },
    ],
  });
  const invoices = { destination: 'invoices' };
  expect((await press('csrf-on', invoices)).error).toBe('destination: SAP’s SOAP senders have no CSRF protection');
  expect((await press('rotate-secret', { destination: 'certified' })).error).toMatch(
    /^destination: certified has a cert/,
  );
  await press('refuse-payload', invoices);
  await press('send-sample', { ...invoices, times: 1 });
  await poll();
  expect(attempts).toMatchObject([{ destination: 'invoices', outcome: 'rejected', status: 500 }]);
});

/** On Cloud Foundry the role is a scope of the token, and after a 403 the relay keeps its token for ten minutes. */
test.each(['give-role', 'heal'])('POST /faults/%s mends a role whose lack is in the token', async (mends) => {
  const { orders, press, send, poll, until, attempts } = await openPage({ environment: 'cf' });
  send(orders);
  await poll();
  await press('take-role');
  send(orders);
  await poll();
  await until('it is hidden', ({ figures: { sums } }) => sums.hidden === 1);
  const { done } = await press(mends);
  await press('try-hidden-now');
  await poll();
  expect(attempts.map(({ outcome, status }) => `${outcome} ${status}`)).toEqual([
    'delivered 200',
    'blocked 403',
    'delivered 200',
  ]);
  expect(done).toContain('in a real tenant it takes until the relay’s next token, ten minutes at most');
});

test.each(['neo', 'cf'] as const)(
  'a role that was never away ends no token when it is given: %s',
  async (environment) => {
    const { authorizationServer, press } = await openPage({ environment });
    expect((await press('give-role')).done).toBe('The client of orders has its role.');
    expect((await press('heal')).done).toBe('Everything works again.');
    expect(authorizationServer.trust.keysVersion()).toBe(0);
  },
);

test('on Neo the role is looked up with each call: give-role ends no token', async () => {
  const { authorizationServer, press } = await openPage();
  await press('take-role');
  expect((await press('give-role')).done).toBe('The client of orders has its role.');
  expect(authorizationServer.trust.keysVersion()).toBe(0);
});
