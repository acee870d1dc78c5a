/**
 * A webhook with several verifications; what is asked of Secrets Manager for them; keys in headers; IAM; no
 * verification.
 */

import { describe, expect, test } from 'vitest';
import { readHttpEvent } from '../../functions/webhook/event.ts';
import { UNAUTHORIZED } from '../../functions/webhook/problem.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { NOON } from '../doubles/time.ts';
import * as events from './aws-http-events.ts';
import { basicOf, JOE, joe, type OpenWebhook, openWebhook, refusalOf, statusOf, unavailable } from './open-webhook.ts';
import { senderOf, verifyAs } from './senders.ts';

const { webhookEvent } = events;
const BODY = '{"id":"evt_4711"}';
const stripe = senderOf('stripe');
const erpAndStripe = verifyAs([
  { type: 'basic', secret: 'webhooks/erp' },
  { type: 'stripe', secret: 'webhooks/stripe' },
]);

function openBoth(): OpenWebhook {
  const opened = openWebhook({ verify: erpAndStripe });
  opened.secrets = { 'webhooks/erp': joe, 'webhooks/stripe': stripe.entries[0] };
  return opened;
}
const byStripe = async (entry = stripe.entries[0], atMs = NOON) =>
  webhookEvent({ body: BODY, headers: await stripe.sign(BODY, entry, atMs) });
const byBoth = async () => webhookEvent({ body: BODY, headers: { ...(await byStripe()).headers, authorization: JOE } });
const byBasic = (user = joe) => webhookEvent({ body: BODY, headers: { authorization: basicOf(user) } });

describe('Of a list', () => {
  test('any verification of a list lets in, each by its own secret', async () => {
    const { admitEvent } = openBoth();
    expect(statusOf(await admitEvent(byBasic()))).toBeUndefined();
    expect(statusOf(await admitEvent(await byStripe()))).toBeUndefined();
    expect(refusalOf(await admitEvent(await byStripe(stripe.entries[1])))).toStrictEqual(UNAUTHORIZED);
    expect(refusalOf(await admitEvent(webhookEvent({ body: BODY })))).toStrictEqual(UNAUTHORIZED);
  });

  test('the verification that succeeded names the message id, and no other', async () => {
    const { admitEvent } = openBoth();
    expect(await admitEvent(await byStripe())).toMatchObject({ message: { id: 'evt_4711' } });
    const basic = await admitEvent(byBasic());
    expect('message' in basic && basic.message.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('the first verification that succeeds names the message id, where more than one does', async () => {
    const opened = openBoth();
    const admission = await opened.admitEvent(await byBoth());
    expect('message' in admission && admission.message.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a verification whose secret cannot be read shuts nobody out who comes in by another', async () => {
    const opened = openBoth();
    opened.secrets['webhooks/stripe'] = unavailable();
    expect(statusOf(await opened.admitEvent(byBasic()))).toBeUndefined();
    expect(await opened.admitEvent(await byStripe())).toMatchObject({
      reply: { status: 503 },
      cause: { code: 'SECRET_UNAVAILABLE' },
    });
  });

  test('the first verification that succeeds lets in at once, while another’s secret is being read', async () => {
    const opened = openBoth();
    const signals: AbortSignal[] = [];
    opened.reading = (signal) => (signals.push(signal) === 1 ? new Promise(() => undefined) : undefined);
    expect(statusOf(await opened.admitEvent(await byBoth())), 'by Stripe').toBeUndefined();
    expect(
      signals.map(({ aborted }) => aborted),
      'nothing runs on',
    ).toEqual([true, false]);
  });

  test('a verification that succeeds at the second check, after a rotation, lets in at once', async () => {
    const opened = openBoth();
    await opened.admitEvent(await byBoth());
    const user = { ...joe, password: 'new' };
    opened.secrets = { 'webhooks/erp': user, 'webhooks/stripe': stripe.entries[0] };
    const headers = { ...(await byStripe(stripe.entries[1])).headers, authorization: basicOf(user) };
    opened.reading = () => (opened.readings.count === 4 ? new Promise(() => undefined) : undefined);
    expect(statusOf(await opened.admitEvent(webhookEvent({ body: BODY, headers })))).toBeUndefined();
    expect(opened.readings.count).toBe(4);
  });

  test('an issuer that hangs delays nobody with a key, nor is it asked for a token that is not its own', async () => {
    const verify = verifyAs([
      { type: 'jwt', issuer: 'https://idp.example', audience: 'orders' },
      { type: 'api-key', secret: 'webhooks/key' },
    ]);
    const opened = openWebhook({ verify });
    opened.secrets = { 'webhooks/key': { key: 'the key' } };
    const asked: (AbortSignal | undefined)[] = [];
    opened.send = ({ signal }) => {
      asked.push(signal);
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    };
    const tokenOf = (iss: string) => `Bearer e30.${Buffer.from(JSON.stringify({ iss })).toString('base64url')}.AAAA`;
    const headers = { authorization: tokenOf('https://idp.example'), 'x-api-key': 'the key' };
    expect(statusOf(await opened.admit({ headers }))).toBeUndefined();
    expect(asked.every((signal) => signal?.aborted)).toBe(true);
    const { length } = asked;
    expect(statusOf(await opened.admit({ headers: { authorization: tokenOf('https://other.example') } }))).toBe(401);
    expect(asked).toHaveLength(length);
  });

  test('a bug in one verification is not hidden behind a secret that cannot be read', async () => {
    const opened = openBoth();
    opened.secrets = { 'webhooks/erp': unavailable(), 'webhooks/stripe': new TypeError('bug') };
    await expect(opened.admitEvent(await byBoth())).rejects.toThrow('bug');
  });

  test('a rotation is seen at once, for each secret of a list by itself', async () => {
    const opened = openBoth();
    await opened.admitEvent(byBasic());
    opened.secrets['webhooks/stripe'] = stripe.entries[1];
    expect(statusOf(await opened.admitEvent(await byStripe(stripe.entries[1])))).toBeUndefined();
    opened.secrets['webhooks/erp'] = { ...joe, password: 'new' };
    expect(statusOf(await opened.admitEvent(byBasic({ ...joe, password: 'new' })))).toBeUndefined();
  });
});

describe('Secrets Manager is asked', () => {
  test('no secret is read for a request that brings nothing which it could prove', async () => {
    const opened = openBoth();
    for (let request = 0; request < 3; request += 1)
      expect(statusOf(await opened.admitEvent(webhookEvent()))).toBe(401);
    expect(opened.readings.count).toBe(0);
    await opened.admitEvent(byBasic());
    expect(opened.readings.count, 'of the one that it names').toBe(1);
  });

  test('a secret is read once for two verifications of one type that share it', async () => {
    const opened = openWebhook({
      verify: verifyAs([
        { type: 'hmac', header: 'X-Old' },
        { type: 'hmac', header: 'X-New' },
      ]),
    });
    opened.secret = { secret: 'shared' };
    const headers = { 'x-old': 'wrong', 'x-new': 'wrong' };
    await opened.admit({ headers });
    expect(opened.readings.count).toBe(2);
    for (let request = 0; request < 20; request += 1) await opened.admit({ headers });
    expect(opened.readings.count, 'once, and once again for a check that failed').toBe(2);
  });

  test('a secret is read once in 30 s while Secrets Manager does not answer, however many come', async () => {
    const opened = openBoth();
    opened.secrets = { 'webhooks/erp': unavailable(), 'webhooks/stripe': unavailable() };
    for (let request = 0; request < 20; request += 1)
      expect(statusOf(await opened.admitEvent(await byBoth()))).toBe(503);
    expect(opened.readings.count).toBe(2);
    opened.clock.advance(30_000);
    for (let request = 0; request < 20; request += 1) await opened.admitEvent(await byBoth());
    expect(opened.readings.count).toBe(4);
  });

  test('a second failed check waits for the reading that the first one has begun', async () => {
    const opened = openWebhook();
    await opened.admit();
    const { promise, resolve } = Promise.withResolvers<void>();
    opened.reading = () => promise;
    const stranger = opened.admit({ headers: { authorization: basicOf({ ...joe, password: 'wrong' }) } });
    const moved = opened.admit({ headers: { authorization: basicOf({ ...joe, password: 'new' }) } });
    opened.secret = { ...joe, password: 'new' };
    resolve();
    expect(statusOf(await stranger)).toBe(401);
    expect(statusOf(await moved)).toBeUndefined();
    expect(opened.readings.count).toBe(2);
  });

  test('a reading that the end of an invocation aborted is begun anew at once', async () => {
    const opened = openWebhook();
    const abort = new AbortController();
    opened.deadline = deadlineOf(0, abort.signal);
    opened.reading = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(unavailable())));
    const cutOff = opened.admit();
    abort.abort(unavailable());
    expect(statusOf(await cutOff)).toBe(503);
    opened.reading = () => undefined;
    opened.deadline = deadlineOf(30_000);
    expect(statusOf(await opened.admit())).toBeUndefined();
  });
});

describe('The header of an api-key', () => {
  const key = 'the first of the keys';
  const verify = verifyAs({ type: 'api-key', header: 'X-Request-Id' });

  test('the header of an api-key is not passed on with the message, nor part of its id', async () => {
    const opened = openWebhook({ verify, forwardHeaders: ['x-*'] });
    opened.secret = { key };
    const headers = { 'x-request-id': key, 'x-order': '4711', authorization: '' };
    const admission = await opened.admit({ headers });
    expect(admission).toMatchObject({ message: { headers: { 'x-order': '4711' } } });
    expect(JSON.stringify('message' in admission && admission.message)).not.toContain(key);
  });

  test('the header of an api-key is not passed on even where another verification succeeded', async () => {
    const opened = openWebhook({
      verify: verifyAs([{ type: 'basic', secret: 'webhooks/erp' }, 'api-key']),
      forwardHeaders: ['x-*'],
    });
    opened.secrets = { 'webhooks/erp': joe, 'webhooks/orders': { key } };
    expect(await opened.admit({ headers: { 'x-api-key': key } })).toMatchObject({ message: { headers: {} } });
  });
});

describe('With iam', () => {
  const verify = verifyAs('iam');
  const arn = 'arn:aws:iam::123456789012:user/erp';
  const post = { body: BODY, headers: { 'content-type': 'application/json' } };
  const ofVersion1 = (event: typeof events.restApi, identity: unknown) => ({
    ...event,
    ...post,
    path: '/webhooks/orders',
    httpMethod: 'POST',
    multiValueHeaders: undefined,
    requestContext: { ...event.requestContext, identity },
  });
  const ofVersion2 = (authorizer: unknown, domainName = 'id.execute-api.us-east-1.amazonaws.com') => {
    const event = webhookEvent(post);
    return { ...event, requestContext: { ...event.requestContext, domainName, authorizer } };
  };
  const ofLoadBalancer = (context: object) => ({
    ...events.loadBalancer,
    ...post,
    httpMethod: 'POST',
    path: '/webhooks/orders',
    requestContext: { ...events.loadBalancer.requestContext, ...context },
  });
  const iam = { accessKey: 'AKIA', accountId: '123456789012', userArn: arn, userId: 'AIDA' };

  test.each<[string, unknown, boolean]>([
    ['HTTP API 2.0, signed', ofVersion2({ iam }), true],
    ['HTTP API 2.0, by a token', ofVersion2({ jwt: { claims: { userArn: arn }, scopes: [] } }), false],
    ['HTTP API 2.0, by a Lambda authorizer that says so', ofVersion2({ lambda: { iam, userArn: arn } }), false],
    ['HTTP API 2.0, open', ofVersion2(undefined), false],
    ['HTTP API 2.0, without an identity', ofVersion2({ iam: { userArn: '', userId: null } }), false],
    ['HTTP API 2.0, with what is no object', ofVersion2({ iam: arn }), false],
    ['function URL, signed', ofVersion2({ iam }, 'id.lambda-url.us-west-2.on.aws'), true],
    ['HTTP API 1.0, signed', ofVersion1(events.httpApi1, { userArn: arn }), true],
    ['REST API, signed', ofVersion1(events.restApi, { userArn: arn }), true],
    ['REST API, open', ofVersion1(events.restApi, { userArn: null, sourceIp: '192.0.2.1' }), false],
    ['REST API, without a context', ofVersion1(events.restApi, undefined), false],
    ['load balancer, which checks none', ofLoadBalancer({ authorizer: { iam }, identity: { userArn: arn } }), false],
  ])('an iam caller is checked, %s: %s', async (_, event, isIn) => {
    const admission = await openWebhook({ verify }).admitEvent(event);
    if (isIn) expect(statusOf(admission)).toBeUndefined();
    else expect(refusalOf(admission)).toStrictEqual(UNAUTHORIZED);
  });

  test('an iam caller proves nothing by the headers that the sender writes', async () => {
    const headers = { ...post.headers, authorization: 'AWS4-HMAC-SHA256 Credential=AKIA', 'x-user-arn': arn };
    const admission = await openWebhook({ verify }).admitEvent(webhookEvent({ ...post, headers }));
    expect(refusalOf(admission)).toStrictEqual(UNAUTHORIZED);
  });

  test('no secret is read for iam', async () => {
    const opened = openWebhook({ verify });
    await opened.admitEvent(ofVersion2({ iam }));
    expect(opened.readings.count).toBe(0);
    expect(readHttpEvent(ofVersion2({ iam }))?.iamIdentity).toBe(arn);
  });
});

test('anyone is let in with verify none, and no secret is read', async () => {
  const opened = openWebhook({ verify: verifyAs('none') });
  expect(statusOf(await opened.admitEvent(webhookEvent()))).toBeUndefined();
  const unknown = await opened.admitEvent(webhookEvent({ rawPath: '/webhooks/unknown' }));
  expect(refusalOf(unknown)).toStrictEqual(UNAUTHORIZED);
  expect(opened.readings.count).toBe(0);
});
