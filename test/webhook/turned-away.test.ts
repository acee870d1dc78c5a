/** Why a request is turned away, for the log: by fixed words, and with nothing of the request. */
import { createHmac } from 'node:crypto';
import { generateKeyPair, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createHttpClient } from '../../functions/http/http.ts';
import { NOON } from '../doubles/time.ts';
import { webhookEvent } from './aws-http-events.ts';
import { startIssuer } from './issuer.ts';
import { basicOf, JOE, joe, openWebhook } from './open-webhook.ts';
import { verifyAs } from './senders.ts';

const BODY = '{"id":"evt_1"}';
const SECRET = `whsec_${Buffer.from('a shared secret, 24 byte').toString('base64')}`;
const at = NOON / 1000;
const mac = (content: string, key = SECRET) => createHmac('sha256', key).update(content).digest('hex');
const standard = (content: string) =>
  `v1,${createHmac('sha256', 'a shared secret, 24 byte').update(content).digest('base64')}`;

async function turnedAway(verify: unknown, headers: Record<string, string>, fields: object = {}) {
  const opened = openWebhook({ verify: verifyAs(verify) });
  opened.secret = { ...joe, key: 'the key', secret: SECRET };
  const admission = await opened.admitEvent(webhookEvent({ body: BODY, headers, ...fields }));
  return 'turnedAway' in admission ? admission.turnedAway : admission;
}

describe('A request is turned away for', () => {
  const timed = { type: 'hmac', header: 'X-Signature', timestampHeader: 'X-Time' };
  test.each<[why: string, verify: unknown, kind: string, what: string, headers: Record<string, string>]>([
    ['no-credentials', 'basic', 'basic', 'no header', {}],
    ['no-credentials', 'basic', 'basic', 'another scheme', { authorization: 'Bearer a.b.c' }],
    ['wrong-credentials', 'basic', 'basic', 'a wrong password', { authorization: basicOf({ ...joe, password: 'x' }) }],
    ['wrong-credentials', 'basic', 'basic', 'no base64', { authorization: 'Basic !' }],
    ['no-credentials', 'api-key', 'api-key', 'no header', { authorization: JOE }],
    ['wrong-credentials', 'api-key', 'api-key', 'a wrong key', { 'x-api-key': 'x' }],
    ['no-credentials', 'github', 'hmac', 'no header', {}],
    [
      'wrong-signature',
      'github',
      'hmac',
      'one of another secret',
      { 'x-hub-signature-256': `sha256=${mac(BODY, 'x')}` },
    ],
    [
      'wrong-signature',
      timed,
      'hmac',
      'another time than the signed',
      { 'x-signature': mac(`${at}.${BODY}`), 'x-time': `${at + 1}` },
    ],
    ['timestamp', timed, 'hmac', 'an old time', { 'x-signature': mac(`${at - 301}.${BODY}`), 'x-time': `${at - 301}` }],
    [
      'timestamp',
      'stripe',
      'hmac',
      'a time to come',
      { 'stripe-signature': `t=${at + 301},v1=${mac(`${at + 301}.${BODY}`)}` },
    ],
    ['no-credentials', 'standard-webhooks', 'standard-webhooks', 'no header', { 'webhook-id': 'm' }],
    [
      'wrong-signature',
      'standard-webhooks',
      'standard-webhooks',
      'another id',
      { 'webhook-id': 'n', 'webhook-timestamp': `${at}`, 'webhook-signature': standard(`m.${at}.${BODY}`) },
    ],
    [
      'timestamp',
      'standard-webhooks',
      'standard-webhooks',
      'an old time',
      { 'svix-id': 'm', 'svix-timestamp': `${at - 301}`, 'svix-signature': standard(`m.${at - 301}.${BODY}`) },
    ],
    ['no-credentials', 'iam', 'iam', 'no identity', { authorization: 'AWS4-HMAC-SHA256 x' }],
  ])('a request is turned away for the reason %s: %j, %s, %s', async (why, verify, kind, _, headers) => {
    expect(await turnedAway(verify, headers)).toEqual({ destination: 'orders', verify: kind, why });
  });

  test('a request is turned away for the reason that came nearest, where there are several ways in', async () => {
    const verify = ['github', { type: 'api-key', header: 'X-Old' }, 'basic'];
    const away = (headers: Record<string, string>) => turnedAway(verify, headers);
    expect(await away({ authorization: 'Basic !' })).toMatchObject({ verify: 'basic', why: 'wrong-credentials' });
    expect(await away({})).toMatchObject({ verify: 'hmac', why: 'no-credentials' });
    const signed = { 'x-hub-signature-256': 'sha256=00', authorization: 'Basic !' };
    expect(await away(signed)).toMatchObject({ verify: 'hmac', why: 'wrong-signature' });
  });

  test('a request is turned away for the reason of the second check, after the secret was read again', async () => {
    const issuer = await startIssuer();
    const opened = openWebhook({ verify: verifyAs({ type: 'jwt', issuer: issuer.url, audience: 'orders' }) });
    opened.send = createHttpClient();
    const by = async (token: string) => {
      const admission = await opened.admitEvent(webhookEvent({ headers: { authorization: `Bearer ${token}` } }));
      return 'turnedAway' in admission ? admission.turnedAway?.why : undefined;
    };
    expect(await by(await issuer.token())).toBeUndefined();
    await issuer.rotate();
    expect(await by(await issuer.token({ aud: 'other' }))).toBe('audience');
  });

  test('a request to an unknown name is turned away without a reason', async () => {
    expect(await turnedAway('basic', { authorization: JOE }, { rawPath: '/webhooks/nobody' })).toEqual({});
  });

  test.each<[string, Record<string, string>, Record<string, unknown>]>([
    ['no path', {}, { rawPath: '/elsewhere' }],
    ['another method', {}, { method: 'GET' }],
    ['a secret that cannot be read', { authorization: JOE }, {}],
  ])('a request is turned away for none of these reasons: %s', async (_, headers, fields) => {
    const opened = openWebhook();
    opened.secret = {};
    expect(await opened.admitEvent(webhookEvent({ headers, ...fields }))).not.toHaveProperty('turnedAway');
  });
});

describe('A token is turned away for', () => {
  test.each<[string, Record<string, unknown>, object]>([
    ['issuer', { iss: 'https://other.example' }, {}],
    ['audience', { aud: 'other' }, {}],
    ['audience', { aud: undefined }, {}],
    ['timestamp', { exp: at - 61 }, {}],
    ['timestamp', { exp: undefined }, {}],
    ['timestamp', { nbf: at + 61 }, {}],
    ['wrong-credentials', { scope: 'orders.read' }, {}],
    ['unknown-key', {}, { kid: 'no-such-key' }],
  ])('a token is turned away for the reason %s: %j %j', async (why, claims, header) => {
    const issuer = await startIssuer();
    const verify = verifyAs({ type: 'jwt', issuer: issuer.url, audience: 'orders', scope: 'orders.write' });
    const opened = openWebhook({ verify });
    opened.send = createHttpClient();
    const token = await issuer.token({ scope: 'orders.write', ...claims }, header);
    const admission = await opened.admitEvent(webhookEvent({ headers: { authorization: `Bearer ${token}` } }));
    expect(admission).toMatchObject({ turnedAway: { destination: 'orders', verify: 'jwt', why } });
  });

  test('a token of another key by this name is turned away for wrong-signature', async () => {
    const issuer = await startIssuer();
    const opened = openWebhook({ verify: verifyAs({ type: 'jwt', issuer: issuer.url, audience: 'orders' }) });
    opened.send = createHttpClient();
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({ iss: issuer.url, aud: 'orders', exp: at + 600 })
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1' })
      .sign(privateKey);
    const admission = await opened.admitEvent(webhookEvent({ headers: { authorization: `Bearer ${token}` } }));
    expect(admission).toMatchObject({ turnedAway: { why: 'wrong-signature' } });
  });

  test.each([
    ['no-credentials', ''],
    ['no-credentials', JOE],
    ['wrong-credentials', 'Bearer x'],
    ['issuer', 'Bearer a.b.c'],
  ])('a token is turned away for the reason %s: %j', async (why, authorization) => {
    const verify = { type: 'jwt', issuer: 'https://idp.example', audience: 'orders' };
    expect(await turnedAway(verify, { authorization })).toMatchObject({ verify: 'jwt', why });
  });
});
