import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { nginxPage, serviceUnavailable, unknownRoute } from '../../infra/local/sap/front.ts';
import { createCertificateAuthority } from '../../infra/local/server/certificates.ts';
import { type Actor, FINDINGS, type FindingId } from '../../infra/ops/doctor/findings.ts';
import type { Line } from '../../infra/ops/doctor/line.ts';
import { textReport } from '../../infra/ops/doctor/report.ts';
import { ALARM, type Examination, type Plan, type RunOptions, startExamination, TOPIC } from './examination.ts';

const QUEUE_FUNCTION = 'token-relay-local-queue';
const DAY_MS = 86_400_000;
const CERTIFICATE: Plan = {
  landscape: { tls: true },
  destination: { client: { credentialType: 'certificate' } },
};
const USER = { username: 'legacy', password: 'correct horse' };
const BUNDLED = getCACertificates('bundled');

afterEach(() => setDefaultCACertificates(BUNDLED));

interface SetUp {
  readonly what: string;
  readonly plan?: Plan;
  readonly broken?: (examination: Examination) => void | Promise<void>;
  readonly argv?: readonly string[];
  readonly how?: RunOptions;
  /** All that is found, in any order. */
  readonly found: readonly FindingId[];
  /** Of the first, where its own does not say who must act. */
  readonly actor?: Actor;
}

/** A token as the authorization server gives it, but with these claims; nobody signed it. */
function tokenAnswer(claims: object | string) {
  const part = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const token = typeof claims === 'string' ? claims : `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`;
  const body = JSON.stringify({ access_token: token, token_type: 'bearer', expires_in: 3599 });
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

async function secretOf({ landscape, orders }: Examination): Promise<Record<string, string>> {
  const answer = await fetch(landscape.secretsManager.url, {
    method: 'POST',
    headers: { 'X-Amz-Target': 'secretsmanager.GetSecretValue' },
    body: JSON.stringify({ SecretId: orders.secret }),
  });
  const { SecretString } = (await answer.json()) as { SecretString: string };
  const json = JSON.parse(SecretString);
  return json.oauth ?? json;
}

/** A letter of 422 as the relay writes it, with another outcome. */
function bury({ orders }: Examination, outcome: string, messageId = '4711', deadAt = '2026-01-15T03:00:00.000Z'): void {
  const reason = 'the endpoint answered 422: it will never take this message; the sender must correct it';
  const stringValue = JSON.stringify({ reason, outcome, status: 422, messageId, destination: 'orders', deadAt });
  const attributes = { deadLetter: { dataType: 'String', stringValue } };
  orders.deadLetterQueue.send({ body: 'the payload of a letter', attributes });
}

/** The service key as it is, with these fields in place of its own. */
async function storeWith(examination: Examination, fields: Record<string, string>): Promise<void> {
  const key = await secretOf(examination);
  examination.landscape.secretsManager.put(examination.orders.secret, { oauth: { ...key, ...fields } });
}

/** Time of the queues that a test moves. */
function movable() {
  let movedMs = 0;
  return {
    now: () => Date.now() + movedMs,
    move: (ms: number) => {
      movedMs += ms;
    },
  };
}

const letterClock = movable();
const waitClock = movable();

const SET_UPS: readonly SetUp[] = [
  {
    what: 'the function is not deployed',
    broken: ({ landscape }) => landscape.management.functions.removeFunction(QUEUE_FUNCTION),
    found: ['function-missing'],
  },
  {
    what: 'the last deployment of the function failed',
    broken: ({ landscape }) => landscape.management.functions.tell(QUEUE_FUNCTION, { State: 'Failed' }),
    found: ['function-not-active'],
  },
  {
    what: 'the settings are no JSON',
    plan: { deploy: { DESTINATIONS: '{"orders":' } },
    found: ['settings-unreadable'],
  },
  {
    what: 'a setting has a value that it cannot have',
    plan: { destination: { settings: { csrf: 'maybe' } } },
    found: ['settings-invalid'],
  },
  {
    what: 'the queue is gone',
    broken: ({ landscape, orders }) => landscape.sqs.deleteQueue(orders.queue.name),
    found: ['queue-missing'],
  },
  {
    what: 'the dead-letter queue is gone',
    broken: ({ landscape, orders }) => landscape.sqs.deleteQueue(orders.deadLetterQueue.name),
    found: ['dead-letter-queue-missing'],
  },
  {
    what: 'no dead-letter queue is set',
    plan: { destination: { settings: { deadLetterQueueUrl: undefined } } },
    found: ['dead-letter-queue-missing'],
  },
  {
    what: 'the queue has no redrive policy',
    broken: ({ orders }) => orders.queue.setAttributes({ RedrivePolicy: '' }),
    found: ['dead-letter-queue-missing'],
  },
  {
    what: 'the queue keeps messages for four days',
    broken: ({ orders }) => orders.queue.setAttributes({ MessageRetentionPeriod: '345600' }),
    found: ['retention-short'],
  },
  {
    what: 'messages come back while the function is at them',
    plan: { destination: { visibilityTimeoutSeconds: 300 } },
    found: ['visibility-timeout'],
  },
  {
    what: 'a dead letter lies there',
    broken: (examination) => bury(examination, 'rejected'),
    found: ['dead-letters'],
  },
  {
    what: 'a dead letter could not be delivered in time',
    broken: (examination) => bury(examination, 'failed'),
    found: ['dead-letters'],
    actor: 'flow-developer',
  },
  {
    what: 'a dead letter waited in vain for a role',
    broken: (examination) => bury(examination, 'blocked'),
    found: ['dead-letters'],
    actor: 'sap-security',
  },
  {
    what: 'a dead letter was moved there by SQS itself',
    broken: ({ orders }) => void orders.deadLetterQueue.send({ body: 'the payload of a letter' }),
    found: ['dead-letters'],
    actor: 'aws',
  },
  {
    what: 'a dead letter has lain there for eleven days',
    plan: { landscape: { sqsNow: letterClock.now } },
    broken: ({ orders }) => {
      orders.deadLetterQueue.send({ body: 'the payload of a letter' });
      letterClock.move(11 * DAY_MS);
    },
    found: ['dead-letters', 'letters-expire'],
    actor: 'aws',
  },
  {
    what: 'nothing polls the queue',
    broken: ({ landscape, orders }) => landscape.management.functions.removeMapping(orders.queue.arn),
    found: ['mapping-missing'],
  },
  {
    what: "another's function polls the queue",
    broken: ({ landscape, orders }) => {
      const FunctionArn = 'arn:aws:lambda:eu-central-1:123456789012:function:somebody-else';
      landscape.management.functions.tell(orders.queue.arn, { FunctionArn });
    },
    found: ['mapping-foreign', 'mapping-missing'],
  },
  {
    what: 'the mapping is paused',
    broken: ({ orders }) => orders.trigger?.pause(),
    found: ['paused'],
  },
  {
    what: 'the mapping is disabled by the settings',
    plan: { destination: { settings: { enabled: false } }, deploy: { polling: false } },
    found: ['paused'],
  },
  {
    what: 'the mapping is under way to another state',
    broken: ({ landscape, orders }) => landscape.management.functions.tell(orders.queue.arn, { State: 'Updating' }),
    found: ['mapping-changing'],
  },
  {
    what: 'Lambda cannot poll the queue',
    broken: ({ landscape, orders }) => {
      const LastProcessingResult = 'PROBLEM: Lambda does not have the permissions to access the queue';
      landscape.management.functions.tell(orders.queue.arn, { LastProcessingResult });
    },
    found: ['mapping-failing'],
  },
  {
    what: 'the mapping filters messages away',
    broken: ({ landscape, orders }) => {
      const FilterCriteria = { Filters: [{ Pattern: '{"body":{"kind":["order"]}}' }] };
      landscape.management.functions.tell(orders.queue.arn, { FilterCriteria });
    },
    found: ['mapping-filter'],
  },
  {
    what: 'the mapping takes no partial replies',
    broken: ({ landscape, orders }) =>
      landscape.management.functions.tell(orders.queue.arn, { FunctionResponseTypes: [] }),
    found: ['partial-replies'],
  },
  { what: 'batches are smaller than set', plan: { deploy: { batchSize: 5 } }, found: ['batch-size'] },
  {
    what: 'messages are held back for a batch',
    plan: { destination: { visibilityTimeoutSeconds: 1000 } },
    broken: ({ landscape, orders }) =>
      landscape.management.functions.tell(orders.queue.arn, { MaximumBatchingWindowInSeconds: 20 }),
    found: ['batch-window'],
  },
  {
    what: 'more invocations run at once than set',
    plan: { deploy: { maximumConcurrency: 5 } },
    found: ['maximum-concurrency'],
  },
  {
    what: 'the function has no time for a second try',
    plan: { deploy: { queueTimeoutSeconds: 60 } },
    found: ['function-timeout'],
  },
  {
    what: 'messages wait although the mapping is enabled',
    plan: { landscape: { sqsNow: waitClock.now } },
    broken: ({ landscape, orders }) => {
      orders.trigger?.pause();
      landscape.management.functions.tell(orders.queue.arn, { State: 'Enabled' });
      orders.queue.send({ body: 'waits' });
      waitClock.move(1_000_000);
    },
    found: ['not-picked-up'],
  },
  {
    what: 'the secret does not exist',
    plan: { destination: { settings: { secret: 'cpi/nowhere' } } },
    found: ['secret-missing'],
  },
  {
    what: 'the secret is marked for deletion',
    broken: async ({ landscape, orders }) => {
      await fetch(landscape.secretsManager.url, {
        method: 'POST',
        headers: { 'X-Amz-Target': 'secretsmanager.DeleteSecret' },
        body: JSON.stringify({ SecretId: orders.secret }),
      });
    },
    found: ['secret-deleted'],
  },
  {
    what: "the secret's key is disabled",
    broken: ({ landscape, orders }) => landscape.secretsManager.disableKey(orders.secret, true),
    found: ['secret-undecryptable'],
  },
  {
    what: 'the secret lacks the client secret',
    broken: async (examination) => {
      const { clientsecret: _, ...rest } = await secretOf(examination);
      examination.landscape.secretsManager.put('cpi/orders', { oauth: rest });
    },
    found: ['secret-malformed'],
  },
  {
    what: 'the endpoint wants a certificate and the secret has none',
    plan: { destination: { settings: { authentication: 'certificate' } } },
    found: ['secret-malformed'],
  },
  {
    what: 'the client certificate ends in 20 days',
    plan: { ...CERTIFICATE, destination: { client: { credentialType: 'certificate', validDays: 20 } } },
    found: ['credential-ends'],
  },
  {
    what: 'the client certificate ends in five days',
    plan: { ...CERTIFICATE, destination: { client: { credentialType: 'certificate', validDays: 5 } } },
    found: ['credential-ends-soon'],
  },
  {
    what: 'the client certificate has ended',
    plan: CERTIFICATE,
    how: { now: () => Date.now() + 400 * DAY_MS },
    found: ['certificate-expired'],
  },
  {
    what: 'the client certificate is not for clients',
    plan: CERTIFICATE,
    broken: async (examination) => {
      const made = examination.landscape.certificateAuthority?.clientCertificate({
        commonName: 'orders',
        keyType: 'rsa',
        purpose: 'serverAuth',
      });
      await storeWith(examination, { certificate: made?.certificate ?? '', key: made?.key ?? '' });
    },
    found: ['certificate-purpose', 'token-refused'],
  },
  {
    what: 'the client certificate is of a public authority, which SAP does not take any more',
    plan: CERTIFICATE,
    broken: async (examination) => {
      const { certificate, key } = createCertificateAuthority({ name: 'DigiCert TLS CA' }).clientCertificate({
        commonName: 'orders',
      });
      await storeWith(examination, { certificate, key });
    },
    found: ['certificate-authority', 'token-refused'],
  },
  {
    what: 'the client certificate is refused in the handshake',
    plan: { ...CERTIFICATE, landscape: { tls: true, certificateCheck: 'handshake' } },
    broken: async (examination) => {
      const { certificate, key } = createCertificateAuthority({ name: 'Own CA' }).clientCertificate({
        commonName: 'orders',
      });
      await storeWith(examination, { certificate, key });
    },
    found: ['certificate-refused'],
  },
  {
    what: "the authorization server's name does not exist",
    broken: (examination) => storeWith(examination, { tokenurl: 'https://acme.authentication.invalid/oauth/token' }),
    found: ['host-not-found'],
  },
  {
    what: 'the authorization server is down',
    broken: ({ landscape }) => landscape.authorizationServer.server.stop(),
    found: ['host-not-reached'],
  },
  {
    what: 'the certificate of the authorization server is not trusted here',
    plan: { landscape: { tls: true } },
    broken: () => setDefaultCACertificates(BUNDLED),
    found: ['tls-not-trusted'],
  },
  {
    what: 'the client secret was changed at SAP alone',
    broken: ({ orders }) => orders.rotateSecret({ store: false }),
    found: ['token-refused'],
  },
  {
    what: 'the token URL leads to a page',
    broken: ({ landscape }) => landscape.authorizationServer.server.fail({ fault: nginxPage(200, 'OK') }),
    found: ['token-url-wrong'],
  },
  {
    what: 'the token endpoint is out of order',
    broken: ({ landscape }) => landscape.authorizationServer.server.fail({ fault: serviceUnavailable() }),
    found: ['token-endpoint-failing'],
  },
  {
    what: 'the token is bound to a certificate that the client does not have',
    broken: ({ landscape, orders }) => {
      const claims = { aud: ['it-rt-acme-dev!b56'], scope: ['x.ESBMessaging.send'], cnf: { 'x5t#S256': 'abc' } };
      const times = { iat: nowSeconds(), exp: nowSeconds() + 3600, sub: orders.clientId };
      landscape.authorizationServer.server.fail({ fault: tokenAnswer({ ...claims, ...times }) });
    },
    found: ['token-binding', 'token-rejected'],
  },
  {
    what: 'the token is opaque',
    broken: ({ landscape }) => landscape.authorizationServer.server.fail({ fault: tokenAnswer('f'.repeat(32)) }),
    found: ['token-opaque', 'token-rejected'],
  },
  {
    what: 'the token is larger than a servlet container takes',
    broken: ({ landscape }) => landscape.authorizationServer.server.fail({ fault: tokenAnswer('f'.repeat(9000)) }),
    found: ['token-opaque', 'token-too-large', 'endpoint-failing'],
  },
  {
    what: 'the token is larger than the relay takes',
    broken: ({ landscape }) => landscape.authorizationServer.server.fail({ fault: tokenAnswer('f'.repeat(17_000)) }),
    found: ['token-too-large'],
  },
  {
    what: 'tokens live five minutes',
    broken: ({ landscape }) => {
      const claims = { aud: ['it-rt-acme-dev!b56'], scope: ['x.ESBMessaging.send'] };
      const times = { iat: nowSeconds(), exp: nowSeconds() + 300 };
      landscape.authorizationServer.server.fail({ fault: tokenAnswer({ ...claims, ...times }) });
    },
    found: ['token-short-lived', 'token-rejected'],
  },
  {
    what: 'the token is for another application',
    broken: ({ landscape }) => {
      const claims = { aud: ['uaa'], scope: ['x.ESBMessaging.send'], iat: nowSeconds(), exp: nowSeconds() + 3600 };
      landscape.authorizationServer.server.fail({ fault: tokenAnswer(claims) });
    },
    found: ['token-audience', 'token-rejected'],
  },
  {
    what: 'the clock is ten minutes ahead',
    how: { now: () => Date.now() + 600_000 },
    found: ['clock-differs'],
  },
  {
    what: 'the secret has no host for the path',
    broken: async (examination) => {
      const { clientid, clientsecret, tokenurl } = await secretOf(examination);
      const neutral = { clientId: clientid, clientSecret: clientsecret, tokenUrl: tokenurl };
      examination.landscape.secretsManager.put('cpi/orders', neutral);
    },
    found: ['endpoint-unknown'],
  },
  {
    what: "the url is that of SAP's API",
    plan: {
      destination: {
        settings: { url: 'https://acme.it-cpi001.cfapps.invalid/http/orders', path: undefined },
      },
    },
    found: ['endpoint-host', 'host-not-found'],
  },
  {
    what: 'another sender adapter listens at the path',
    plan: { destination: { settings: { adapter: 'soap' } } },
    found: ['endpoint-adapter'],
  },
  {
    what: 'the endpoint takes no token',
    broken: ({ landscape }) => landscape.runtimeNode.refuseTokens(0),
    found: ['token-rejected'],
  },
  {
    what: 'the role is missing on Neo',
    plan: { landscape: { environment: 'neo' }, destination: { assignRole: false } },
    found: ['role-missing'],
  },
  {
    what: 'the role is missing on Cloud Foundry',
    plan: { destination: { assignRole: false } },
    found: ['token-scope', 'role-missing'],
  },
  {
    what: 'the flow is not deployed',
    broken: ({ landscape }) => landscape.runtimeNode.undeploy('orders'),
    found: ['flow-missing'],
  },
  {
    what: "nobody has the runtime's host any more",
    broken: ({ landscape }) => landscape.runtimeNode.server.fail({ fault: unknownRoute('acme.cfapps.eu10') }),
    found: ['route-missing'],
  },
  {
    what: 'the endpoint redirects',
    broken: ({ landscape }) => landscape.runtimeNode.server.fail({ fault: { status: 302 } }),
    found: ['endpoint-redirects'],
  },
  {
    what: 'the runtime node is out of order',
    broken: ({ landscape }) => landscape.runtimeNode.server.fail({ fault: serviceUnavailable() }),
    found: ['endpoint-failing'],
  },
  {
    what: 'the runtime node breaks the connection',
    broken: ({ landscape }) => landscape.runtimeNode.server.fail({ fault: 'reset-before' }),
    found: ['endpoint-failing'],
  },
  {
    what: 'the runtime node is down',
    broken: ({ landscape }) => landscape.runtimeNode.server.stop(),
    found: ['host-not-reached'],
  },
  {
    what: 'the flow takes another method',
    plan: { destination: { settings: { method: 'PUT' }, flow: { methods: ['POST'] } } },
    found: ['method-refused'],
  },
  {
    what: 'a CSRF token is expected and none is given',
    plan: { destination: { settings: { csrf: true }, flow: { csrfProtected: false } } },
    found: ['csrf-not-offered'],
  },
  {
    what: 'a message that is sent is refused',
    plan: { destination: { flow: { answer: () => ({ status: 400, body: 'no such plant' }) } } },
    argv: ['--send', 'order.json'],
    found: ['rejected'],
  },
  {
    what: 'the flow fails on a message that is sent',
    plan: { destination: { flow: { answer: () => ({ status: 500, body: 'oops' }) } } },
    argv: ['--send', 'order.json'],
    found: ['failing'],
  },
  {
    what: 'a message that is sent is blocked',
    plan: { destination: { settings: { method: 'PUT' }, flow: { methods: ['POST'] } } },
    argv: ['--send', 'order.json'],
    found: ['method-refused', 'blocked'],
  },
  {
    what: 'the webhook has no function',
    plan: { destination: { webhook: USER } },
    broken: ({ landscape }) => landscape.management.functions.removeFunction('token-relay-local-webhook'),
    found: ['webhook-function-missing'],
  },
  {
    what: "the webhook's secret does not exist",
    plan: { destination: { webhook: USER, settings: { webhook: { verify: 'basic', secret: 'webhooks/nowhere' } } } },
    found: ['webhook-secret-missing'],
  },
  {
    what: "the webhook's secret is of another form",
    plan: { destination: { webhook: { ...USER, secret: { key: 'of another kind' } } } },
    found: ['webhook-secret-malformed'],
  },
  {
    what: 'the webhook lets in everybody',
    plan: { destination: { webhook: USER, settings: { webhook: { verify: 'none' } } } },
    found: ['webhook-open'],
  },
  {
    what: "the issuer of the webhook's tokens is down",
    plan: {
      destination: {
        webhook: USER,
        settings: { webhook: { verify: { type: 'jwt', issuer: 'http://127.0.0.1:9', audience: 'relay' } } },
      },
    },
    found: ['issuer-not-reached'],
  },
  {
    what: 'other destinations have alarms, this one has none',
    plan: { alarms: [{ ...ALARM, name: 'token-relay-local-stock-dead-letters' }] },
    found: ['alarms-missing'],
  },
  {
    what: 'alarms have no action',
    plan: { alarms: [{ name: ALARM.name }] },
    found: ['alarms-silent'],
  },
  {
    what: 'actions are switched off',
    plan: { alarms: [{ ...ALARM, actionsEnabled: false }] },
    found: ['alarms-silent'],
  },
  {
    what: 'nobody has confirmed the subscription',
    broken: ({ landscape }) => landscape.management.topics.put(TOPIC, ['pending']),
    found: ['alarms-silent'],
  },
  {
    what: "the alarms' topic is gone",
    plan: { alarms: [{ ...ALARM, actions: [`${TOPIC}-old`] }] },
    found: ['alarms-silent'],
  },
  {
    what: 'an alarm rings',
    plan: { alarms: [{ ...ALARM, name: 'token-relay-local-orders-blocked', state: 'ALARM' }] },
    found: ['blocked'],
  },
  {
    what: 'an alarm of a host at SAP rings',
    plan: { alarms: [ALARM, { name: 'token-relay-local-acme-hana-ondemand-com-sap-down', state: 'ALARM' }] },
    found: ['sap-down'],
  },
  {
    what: 'an alarm of the function rings',
    plan: { alarms: [ALARM, { name: 'token-relay-local-queue-function-errors', state: 'ALARM' }] },
    found: ['function-errors'],
  },
  {
    what: 'more messages are in flight than is good',
    broken: ({ landscape, orders }) => {
      const Attributes = { ...orders.queue.attributes(), ApproximateNumberOfMessagesNotVisible: '96000' };
      const headers = { 'Content-Type': 'application/x-amz-json-1.0' };
      landscape.management.server.fail({
        fault: { status: 200, headers, body: JSON.stringify({ Attributes }) },
        when: (request) => request.headers['x-amz-target'] === 'AmazonSQS.GetQueueAttributes',
      });
    },
    found: ['in-flight'],
  },
];

/** Of a cut-over: `doctor-cutover.test.ts` has a set-up for each. */
const ELSEWHERE = ['alarms', 'cutover'];

test('every finding has a set-up here, but what an alarm alone can see, or a cut-over alone', () => {
  const seen = new Set<string>(SET_UPS.flatMap(({ found }) => found));
  const unseen = Object.entries(FINDINGS).filter(([id]) => !seen.has(id));
  expect(unseen.filter(([, { group }]) => !ELSEWHERE.includes(group)).map(([id]) => id)).toEqual([]);
});

function longestOf(lines: readonly string[]): number {
  return Math.max(...lines.map((line) => line.length));
}

function isFinding({ result }: Line): boolean {
  return result === 'error' || result === 'warning';
}

describe('a set-up that is broken gives its finding, who must act, the anchor, and exit code 1:', () => {
  test.each(SET_UPS)(
    'a broken set-up gives its finding, who must act, the anchor, and exit code 1: $what',
    async ({ plan = {}, broken, argv = [], how = {}, found, actor: named }) => {
      await using examination = await startExamination(plan);
      await broken?.(examination);
      const { code, lines } = await examination.lines(argv, how);
      const findings = lines.filter(isFinding);
      expect(findings.map(({ id }) => id).sort()).toEqual([...found].sort());
      for (const { id, result, actor, anchor } of findings) {
        const expected = FINDINGS[id as FindingId];
        const acts = id === found[0] ? (named ?? expected.actor) : expected.actor;
        expect({ result, actor }).toEqual({ result: expected.result, actor: acts });
        expect(anchor).toBe(`infra/ops/runbook.md#${id}`);
      }
      expect(code).toBe(1);
      // A command stays in one line, to be copied.
      const wrapped = textReport(lines).filter((line) => !/^ {6}npm run /.test(line));
      expect(longestOf(wrapped)).toBeLessThanOrEqual(80);
      const told = lines.map(({ reason }) => reason).join('\n');
      for (const value of examination.confidential) expect(told.includes(value), 'a secret is told').toBe(false);
    },
  );
});

describe('a healthy set-up gives no finding and exit code 0:', () => {
  test.each<SetUp>([
    { what: 'on Cloud Foundry', found: [] },
    { what: 'on Neo', plan: { landscape: { environment: 'neo' } }, found: [] },
    { what: 'with a client certificate', plan: CERTIFICATE, found: [] },
    {
      what: 'whose endpoint takes the certificate itself',
      plan: {
        ...CERTIFICATE,
        destination: { ...CERTIFICATE.destination, settings: { authentication: 'certificate' } },
      },
      found: [],
    },
    {
      what: 'with CSRF tokens, a webhook, and a FIFO queue',
      plan: { destination: { settings: { csrf: true, fifo: true }, fifo: true, webhook: USER } },
      found: [],
    },
    {
      what: 'with SOAP',
      plan: { destination: { flow: { sender: 'soap', address: '/soap' }, settings: { adapter: 'soap' } } },
      found: [],
    },
    {
      what: 'with OData and CSRF tokens',
      plan: {
        destination: { flow: { sender: 'odata', address: '/ORDERS' }, settings: { adapter: 'odata', csrf: true } },
      },
      found: [],
    },
    { what: 'and without alarms on the landscape of npm start', plan: { alarms: [] }, found: [] },
    {
      what: 'while alarms of others ring, and the one that stands for others',
      plan: {
        alarms: [
          ALARM,
          { name: 'token-relay-local-stock-blocked', state: 'ALARM' },
          { name: 'token-relay-local-needs-a-person', state: 'ALARM' },
          { name: 'token-relay-local-orders-failing', state: 'INSUFFICIENT_DATA' },
        ],
      },
      found: [],
    },
  ])('a healthy set-up gives no finding and exit code 0: $what', async ({ plan = {} }) => {
    await using examination = await startExamination(plan);
    const { code, lines } = await examination.lines();
    expect(lines.filter(isFinding)).toEqual([]);
    expect(code).toBe(0);
    expect(examination.landscape.runtimeNode.messages).toEqual([]);
  });
});

describe('letters in a dead-letter queue are told', () => {
  const reasonOf = (lines: readonly Line[]) => lines.find(({ id }) => id === 'dead-letters');

  test('by the reason of the newest, its age, and the commands that show all and this one', async () => {
    await using examination = await startExamination();
    bury(examination, 'failed', 'older', '2026-01-15T02:00:00.000Z');
    bury(examination, 'rejected', 'newest', '2026-01-15T03:00:00.000Z');
    bury(examination, 'failed', 'old', '2026-01-15T01:00:00.000Z');
    const now = () => Date.parse('2026-01-15T03:05:00Z');
    const { lines } = await examination.lines([], { now });
    expect(reasonOf(lines)).toMatchObject({
      actor: 'sender',
      reason:
        'token-relay-local-orders-dlq holds 3; the newest, of 5m ago, was rejected: ' +
        'the endpoint answered 422: it will never take this message; the sender must correct it',
      commands: [
        'npm run replay -- --stage local --destination orders',
        'npm run replay -- --stage local --destination orders --show newest',
      ],
    });
    expect(examination.orders.deadLetterQueue.messages.map(({ state }) => state)).toEqual(Array(3).fill('visible'));
  });

  test('of a queue with a name of its own by its URL', async () => {
    await using examination = await startExamination();
    const { landscape, orders } = examination;
    const own = landscape.sqs.createQueue('legacy-dead', { MessageRetentionPeriod: '1209600' });
    own.send({ body: 'the payload of a letter' });
    const settings = { ...orders.settings, deadLetterQueueUrl: own.url };
    await using other = await startExamination({ deploy: { DESTINATIONS: JSON.stringify({ orders: settings }) } });
    const environment = { AWS_ENDPOINT_URL_SQS: landscape.sqsServer.url };
    const { lines } = await other.lines([], { environment });
    expect(reasonOf(lines)?.commands?.[0]).toBe(`npm run replay -- --dead-letter-queue ${own.url}`);
  });

  test('without a command for an id that a shell would read as something else', async () => {
    await using examination = await startExamination();
    bury(examination, 'rejected', '$(reboot)');
    const { lines } = await examination.lines();
    expect(reasonOf(lines)?.commands).toEqual(['npm run replay -- --stage local --destination orders']);
  });

  test('by their number alone where nobody may read them, and where somebody else has them in hand', async () => {
    await using examination = await startExamination();
    bury(examination, 'rejected');
    examination.orders.deadLetterQueue.receive({ visibilitySeconds: 60 });
    const { code, lines } = await examination.lines();
    expect(reasonOf(lines)?.reason).toBe(
      'token-relay-local-orders-dlq holds 1; not read: none is handed out now, somebody else has them in hand',
    );
    expect(code).toBe(1);
  });
});
