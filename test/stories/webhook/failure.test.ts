import { describe, expect, test } from 'vitest';
import { serviceUnavailable } from '../../../infra/local/sap/front.ts';
import { type Stage, setStage, WEBHOOK_USER } from '../stage.ts';

const PLAN = { name: 'orders', webhook: WEBHOOK_USER, flow: { csrfProtected: false } } as const;
const REJECTED = 'The receiver will never take this message';
const BAD_GATEWAY = 'The receiver could not take the message';
const UNAVAILABLE = 'The message cannot be taken now';
const TIMEOUT = 'The receiver did not answer in time';

interface Case {
  readonly what: string;
  readonly cause: (stage: Stage) => unknown;
  readonly status: number;
  readonly name: string;
  readonly title: string;
  readonly retryAfter: string | null;
  readonly told: string;
}

const answers =
  (status: number, headers = {}) =>
  (stage: Stage) =>
    stage.runtimeNode.server.fail({ fault: { status, headers, body: 'words of the flow' } });
const rejected = (said: number, status: number): Case => ({
  what: `the flow says ${said}`,
  cause: answers(said, { 'Retry-After': '5' }),
  status,
  name: 'rejected',
  title: REJECTED,
  retryAfter: null,
  told: `rejected ${said}`,
});
const badGateway = { status: 502, name: 'bad-gateway', title: BAD_GATEWAY } as const;
const unavailable = { status: 503, name: 'unavailable', title: UNAVAILABLE } as const;
const gatewayTimeout = { status: 504, name: 'gateway-timeout', title: TIMEOUT, retryAfter: '30' } as const;

const CASES: readonly Case[] = [
  rejected(400, 400),
  rejected(413, 413),
  rejected(415, 415),
  rejected(422, 422),
  rejected(409, 422),
  rejected(410, 422),
  rejected(412, 422),
  { ...badGateway, what: 'the flow says 500', cause: answers(500), retryAfter: '30', told: 'failed 500' },
  {
    ...unavailable,
    what: 'the flow says 503 with a wait',
    cause: (stage) => stage.runtimeNode.server.fail({ fault: serviceUnavailable({ retryAfterSeconds: 7 }) }),
    retryAfter: '7',
    told: 'failed 503',
  },
  { ...unavailable, what: 'the flow says 503', cause: answers(503), retryAfter: '30', told: 'failed 503' },
  {
    ...unavailable,
    what: 'the flow says 429',
    cause: answers(429, { 'Retry-After': '11' }),
    retryAfter: '11',
    told: 'failed 429',
  },
  { ...gatewayTimeout, what: 'the flow says 408', cause: answers(408), told: 'failed 408' },
  {
    ...gatewayTimeout,
    what: 'the flow does not answer',
    cause: (stage) => stage.runtimeNode.server.fail({ fault: 'hang' }),
    told: 'failed -',
  },
  {
    ...badGateway,
    what: 'the connection breaks',
    cause: (stage) => stage.runtimeNode.server.fail({ fault: 'reset-after' }),
    retryAfter: '30',
    told: 'failed -',
  },
  {
    ...badGateway,
    what: 'the runtime node is down',
    cause: (stage) => stage.runtimeNode.server.stop(),
    retryAfter: '30',
    told: 'failed -',
  },
  {
    ...badGateway,
    what: 'the authorization server is down',
    cause: (stage) => stage.authorizationServer.server.stop(),
    retryAfter: '30',
    told: 'failed -',
  },
  {
    ...badGateway,
    what: 'the role is missing',
    cause: (stage) => stage.orders.unassignRole(),
    retryAfter: null,
    told: 'blocked 403',
  },
  {
    ...badGateway,
    what: 'the flow is not deployed',
    cause: (stage) => stage.runtimeNode.undeploy('orders'),
    retryAfter: null,
    told: 'blocked 404',
  },
  {
    ...badGateway,
    what: 'the client is refused',
    cause: (stage) => stage.orders.rotateSecret({ store: false }),
    retryAfter: null,
    told: 'blocked 401',
  },
  {
    ...badGateway,
    what: 'the secret is malformed',
    cause: (stage) => stage.secretsManager.put('cpi/orders', 'nothing that could be credentials'),
    retryAfter: null,
    told: 'blocked -',
  },
];

// The reply has two shapes, with `headers` and with `multiValueHeaders`; webhook.test.ts has the third gateway, too.
describe.each(['HTTP API, payload 2.0', 'REST API'] as const)('behind %s', (gateway) => {
  test.each(CASES)('the caller gets $status $name when $what, and nothing of what was said behind', async (given) => {
    const stage = await setStage({ gateway, plans: [{ ...PLAN, settings: { timeoutSeconds: 1 } }] });
    await given.cause(stage);

    const response = await stage.post('/webhooks/orders', { headers: { 'X-Request-Id': 'r-1' } });

    expect(response.status).toBe(given.status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('retry-after')).toBe(given.retryAfter);
    expect(await response.json()).toEqual({
      type: `urn:problem-type:token-relay:${given.name}`,
      title: given.title,
      status: given.status,
    });
    expect(stage.outcomes('messageId', 'attempt', 'outcome', 'status')).toEqual({ [`r-1 1 ${given.told}`]: 1 });
  });
});

test('a 401 leads to a new token while the caller waits', async () => {
  const stage = await setStage({ plans: [PLAN] });
  await stage.post('/webhooks/orders');
  stage.authorizationServer.expireAllTokens();

  const response = await stage.post('/webhooks/orders');

  expect(response.status).toBe(200);
  expect(stage.tally()).toMatchObject({ tokenRequests: [200, 200], calls: { 'POST 200': 2, 'POST 401': 1 } });
  expect(stage.outcomes('outcome', 'calls', 'token')).toEqual({ 'delivered 1 new': 1, 'delivered 2 new': 1 });
});

test('the caller still gets an answer near the function’s timeout, and nothing is cut off silently', async () => {
  const stage = await setStage({ plans: [PLAN], deploy: { webhookTimeoutSeconds: 3 } });
  stage.runtimeNode.server.fail({ fault: 'hang' });

  const response = await stage.post('/webhooks/orders');

  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('retry-after')).toBe('30');
  expect(stage.output.filter((line) => /Sandbox\.Timedout|Task timed out/.test(line))).toEqual([]);
  expect(stage.outcomes()).toEqual({ 'failed - unknown 1': 1 });
});

test('a flow that does not answer in the time left is a gateway timeout to the caller', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', webhook: WEBHOOK_USER, flow: { csrfProtected: false } }],
    deploy: { webhookTimeoutSeconds: 3 },
  });
  stage.runtimeNode.server.fail({ fault: 'hang' });

  const response = await stage.post('/webhooks/orders');

  expect(response.status).toBe(504);
});
