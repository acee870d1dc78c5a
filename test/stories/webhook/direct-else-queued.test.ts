/** Mode `direct-else-queued`: the caller waits for the flow; what the flow cannot have seen is stored instead. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { serviceUnavailable } from '../../../infra/local/sap/front.ts';
import type { Received } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import { type Stage, setStage, sha256, WEBHOOK_USER } from '../stage.ts';

const PLAN = {
  name: 'orders',
  webhook: { ...WEBHOOK_USER, mode: 'direct-else-queued' },
  flow: { csrfProtected: false },
  settings: { timeoutSeconds: 1 },
} as const;
const BODY = '{"order":"4711","material":"PUMP-100"}';
const answering =
  (status: number, headers = {}) =>
  (stage: Stage) =>
    stage.runtimeNode.server.fail({ fault: { status, headers, body: 'words of the flow' }, times: 2 });

interface Trouble {
  readonly what: string;
  readonly cause: (stage: Stage) => unknown;
  readonly cure?: (stage: Stage) => unknown;
}

const NOT_RUN: readonly Trouble[] = [
  {
    what: 'the authorization server is down',
    cause: ({ authorizationServer }) => authorizationServer.server.stop(),
    cure: ({ authorizationServer }) => authorizationServer.server.start(),
  },
  {
    what: 'the client is refused',
    cause: ({ orders }) => orders.rotateSecret({ store: false }),
    cure: ({ orders }) => orders.storeSecret(),
  },
  {
    what: 'the connection is refused',
    cause: ({ runtimeNode }) => runtimeNode.server.stop(),
    cure: ({ runtimeNode }) => runtimeNode.server.start(),
  },
  { what: 'the new token is rejected, too', cause: answering(401) },
  {
    what: 'the role is missing',
    cause: ({ orders }) => orders.unassignRole(),
    cure: ({ orders }) => orders.assignRole(),
  },
  { what: 'there is no such endpoint', cause: answering(404) },
  { what: 'the endpoint takes another method', cause: answering(405) },
  { what: 'the endpoint redirects', cause: answering(302, { Location: 'https://elsewhere.example/' }) },
  { what: 'the endpoint throttles', cause: answering(429) },
  {
    what: 'the endpoint is in maintenance',
    cause: ({ runtimeNode }) => runtimeNode.server.fail({ fault: serviceUnavailable({}), times: 2 }),
  },
];

test('a flow that answers is passed on, and nothing is stored', async () => {
  const stage = await setStage({ plans: [{ ...PLAN, flow: { answer: () => ({ status: 201, body: 'done' }) } }] });

  const response = await stage.post('/webhooks/orders');

  expect([response.status, await response.text()]).toEqual([201, 'done']);
  expect(stage.tally()).toMatchObject({ flowRuns: 1, left: 0 });
});

describe('when the flow cannot have run', () => {
  test.each(NOT_RUN)(
    'a flow that cannot have run, since $what, makes the caller get 202, and the message arrives later',
    async ({ cause, cure }) => {
      const stage = await setStage({ plans: [PLAN] });
      await cause(stage);

      const response = await stage.post('/webhooks/orders', { body: BODY, headers: { 'X-Request-Id': 'r-1' } });

      expect(response.status).toBe(202);
      expect(await response.json()).toEqual({ messageId: 'r-1' });
      expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 1 });
      expect(stage.told('webhook.queued')).toMatchObject([{ destination: 'orders', messageId: 'r-1' }]);

      stage.runtimeNode.server.heal();
      await cure?.(stage);
      await stage.poll();
      expect(stage.runtimeNode.messages).toMatchObject([{ messageId: 'r-1', bodySha256: sha256(BODY) }]);
      expect(stage.orders.queue.size).toBe(0);
    },
  );
});

describe('when the flow may have run, or will never take it', () => {
  test.each<Trouble & { status: number; name: string }>([
    { what: 'it says 500', cause: answering(500), status: 502, name: 'bad-gateway' },
    {
      what: 'the connection breaks',
      cause: ({ runtimeNode }) => runtimeNode.server.fail({ fault: 'reset-after' }),
      status: 502,
      name: 'bad-gateway',
    },
    {
      what: 'it does not answer',
      cause: ({ runtimeNode }) => runtimeNode.server.fail({ fault: 'hang' }),
      status: 504,
      name: 'gateway-timeout',
    },
    { what: 'it says 400', cause: answering(400), status: 400, name: 'rejected' },
    { what: 'it says 409', cause: answering(409), status: 422, name: 'rejected' },
  ])(
    'a flow that may have run, since $what, makes the caller get $status, and nothing is stored',
    async ({ cause, status, name }) => {
      const stage = await setStage({ plans: [PLAN] });
      await cause(stage);

      const response = await stage.post('/webhooks/orders');

      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ type: `urn:problem-type:token-relay:${name}` });
      expect(stage.orders.queue.size).toBe(0);
    },
  );
});

/** What a flow may say of its own accord; the last are those that mean, of anyone else, that it has not run. */
const OF_THE_FLOW = [
  ...[302, 308, 400, 408, 409, 410, 412, 413, 415, 418, 422, 425, 500, 501, 502, 504],
  ...[503, 429, 405, 404, 403, 401],
];

test.each(['header', 'body'] as const)(
  'a flow with its mark in the %s has run, whatever its status, and nothing is stored',
  async (returnMplId) => {
    const answered = ({ body }: Received) => ({ status: Number(JSON.parse(body.toString()).answer) });
    const stage = await setStage({
      plans: [{ ...PLAN, flow: { csrfProtected: false, returnMplId, answer: answered } }],
    });
    const called: number[] = [];

    for (const status of OF_THE_FLOW) {
      const body = JSON.stringify({ order: randomUUID(), answer: status });
      const response = await stage.post('/webhooks/orders', { body, headers: { 'X-Request-Id': `r-${status}` } });
      called.push(response.status);
    }

    expect(called).not.toContain(202);
    expect(stage.runtimeNode.messages.map(({ messageId }) => messageId)).toEqual(OF_THE_FLOW.map((one) => `r-${one}`));
    expect(stage.outcomes('executed', 'calls')).toEqual({ 'unknown 1': OF_THE_FLOW.length });
    expect(stage.attempts.filter(({ outcome }) => outcome === 'blocked').map(({ status }) => status)).toEqual([
      302, 308,
    ]);
    expect(stage.attempts.every(({ mplId }) => mplId !== undefined)).toBe(true);
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], left: 0, dead: 0 });
  },
);

test('the caller is asked to come again where neither the flow nor SQS is there', async () => {
  const stage = await setStage({ plans: [PLAN] });
  await stage.runtimeNode.server.stop();
  await stage.sqsServer.stop();

  const response = await stage.post('/webhooks/orders');

  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('30');
});

test('a token endpoint that does not answer leaves the time to store the message', async () => {
  const stage = await setStage({ plans: [{ ...PLAN, settings: {} }], deploy: { webhookTimeoutSeconds: 4 } });
  stage.authorizationServer.server.fail({ fault: 'hang', times: 5 });

  const response = await stage.post('/webhooks/orders');

  expect(response.status).toBe(202);
  expect(stage.orders.queue.size).toBe(1);
});
