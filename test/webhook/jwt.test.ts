/** Verification `jwt`: which tokens let in, and how often an issuer is asked for its keys. */

import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { createHttpClient } from '../../functions/http/http.ts';
import { UNAUTHORIZED } from '../../functions/webhook/problem.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { NOON } from '../doubles/time.ts';
import { webhookEvent } from './aws-http-events.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { type OpenWebhook, openWebhook, refusalOf, statusOf } from './open-webhook.ts';
import { verifyAs } from './senders.ts';

const at = NOON / 1000;

async function open(
  options: object = {},
  path = '',
): Promise<OpenWebhook & { issuer: Issuer; by(token: string): Promise<unknown> }> {
  const issuer = await startIssuer(path);
  const opened = openWebhook({ verify: verifyAs({ type: 'jwt', issuer: issuer.url, audience: 'orders', ...options }) });
  opened.send = createHttpClient({ now: opened.clock.now });
  return Object.assign(opened, {
    issuer,
    by: async (token: string) =>
      statusOf(await opened.admitEvent(webhookEvent({ headers: { authorization: `Bearer ${token}` } }))),
  });
}

describe('A token', () => {
  test.each(['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    'a token signed with %s lets in',
    async (algorithm) => {
      const { issuer, by } = await open();
      await issuer.rotate(algorithm);
      expect(await by(await issuer.token())).toBeUndefined();
    },
  );

  test.each<[string, object, Record<string, unknown>, boolean]>([
    ['for one audience among others', {}, { aud: ['other', 'orders'] }, true],
    ['for another audience', {}, { aud: 'other' }, false],
    ['for no audience', {}, { aud: undefined }, false],
    ['of another issuer', {}, { iss: 'https://other.example' }, false],
    ['of no issuer', {}, { iss: undefined }, false],
    ['without an end', {}, { exp: undefined }, false],
    ['that ended 59 s ago', {}, { exp: at - 59 }, true],
    ['that ended 60 s ago', {}, { exp: at - 60 }, false],
    ['that begins in 60 s', {}, { nbf: at + 60 }, true],
    ['that begins in 61 s', {}, { nbf: at + 61 }, false],
    ['whose end is a text', {}, { exp: String(at + 600) }, false],
    ['with the scope', { scope: 'orders.write' }, { scope: 'orders.read orders.write' }, true],
    ['with the scope in a list', { scope: 'orders.write' }, { scope: ['orders.read', 'orders.write'] }, true],
    ['with the scope as scp', { scope: 'orders.write' }, { scp: 'orders.write' }, true],
    ['with the scope in scp’s list', { scope: 'orders.write' }, { scope: 'openid', scp: ['orders.write'] }, true],
    ['with another scope', { scope: 'orders.write' }, { scope: 'orders.writer orders' }, false],
    ['with no scope', { scope: 'orders.write' }, {}, false],
    ['with a scope that is an object', { scope: 'orders.write' }, { scope: { 'orders.write': true } }, false],
  ])('a token is checked claim by claim: %s: %#', async (_, options, claims, isIn) => {
    const { issuer, by } = await open(options);
    expect(await by(await issuer.token(claims))).toBe(isIn ? undefined : 401);
  });

  test('a token of a key that is not the issuer’s lets nobody in', async () => {
    const { issuer, by } = await open();
    const { privateKey } = await generateKeyPair('ES256');
    const claims = { iss: issuer.url, aud: 'orders', exp: at + 600 };
    const forged = (header: object) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }).sign(privateKey);
    expect(await by(await forged({ kid: 'key-1' }))).toBe(401);
    expect(await by(await forged({}))).toBe(401);
    expect(await by(await forged({ kid: 'key-1', jwk: await exportJWK(issuer.signing.publicKey) }))).toBe(401);
    expect(await by(await forged({ kid: 'key-1', jku: `${issuer.server.url}/keys` }))).toBe(401);
  });

  test('a token signed with a public key as the secret of a MAC lets nobody in', async () => {
    const { issuer, by } = await open();
    await issuer.rotate('RS256');
    const claims = { iss: issuer.url, aud: 'orders', exp: at + 600 };
    const key = new TextEncoder().encode(await exportSPKI(issuer.signing.publicKey));
    const confused = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'key-2' }).sign(key);
    expect(await by(confused)).toBe(401);
  });

  test('a token signed with a secret that the issuer publishes by mistake lets nobody in', async () => {
    const { issuer, by } = await open();
    const secret = Buffer.from('a secret of thirty-two bytes, so');
    issuer.keys = [{ kty: 'oct', k: secret.toString('base64url'), kid: 'shared', alg: 'HS256' }];
    const claims = { iss: issuer.url, aud: 'orders', exp: at + 600 };
    expect(await by(await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'shared' }).sign(secret))).toBe(
      401,
    );
  });

  test('a token signed with an algorithm that nobody asked for lets nobody in', async () => {
    const { issuer, by } = await open();
    await issuer.rotate('ML-DSA-44');
    expect(await by(await issuer.token())).toBe(401);
  });

  test('a token signed with nothing lets nobody in', async () => {
    const { issuer, by } = await open();
    const unsecured = new UnsecuredJWT({ iss: issuer.url, aud: 'orders', exp: at + 600 }).encode();
    expect(await by(unsecured)).toBe(401);
    expect(await by(`${unsecured}AA`)).toBe(401);
  });

  test('a token that was changed lets nobody in', async () => {
    const { issuer, by } = await open();
    const [header = '', , signature = ''] = (await issuer.token()).split('.');
    const claims = Buffer.from(JSON.stringify({ iss: issuer.url, aud: 'orders', exp: at + 6_000 })).toString(
      'base64url',
    );
    expect(await by(`${header}.${claims}.${signature}`)).toBe(401);
  });

  test('a token without kid is tried with each of the keys', async () => {
    const { issuer, by } = await open();
    const first = await issuer.token({}, { kid: undefined as never });
    await issuer.rotate();
    await issuer.rotate();
    const last = await issuer.token({}, { kid: undefined as never });
    for (const token of [first, last]) expect(await by(token)).toBeUndefined();
    expect(await by(`${last.slice(0, -8)}AAAAAAAA`)).toBe(401);
    expect(await by(await issuer.token({ aud: 'other' }, { kid: undefined as never }))).toBe(401);
  });

  test.each([
    '',
    'Bearer',
    'Bearer x',
    'Bearer a.b',
    'Bearer a.b.c.d',
    'Bearer a.b.c.d.e',
    'Bearer ..',
    'Bearer a.b.c, d',
  ])('a token that is none, %j, does not make the keys be requested', async (authorization) => {
    const { issuer, admitEvent } = await open();
    expect(refusalOf(await admitEvent(webhookEvent({ headers: { authorization } })))).toStrictEqual(UNAUTHORIZED);
    expect(issuer.asked).toEqual([]);
  });

  test.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])('a token is read behind %j', async (scheme) => {
    const { issuer, admitEvent } = await open();
    const authorization = `${scheme} ${await issuer.token()}`;
    expect(statusOf(await admitEvent(webhookEvent({ headers: { authorization } })))).toBeUndefined();
  });

  test('a token is not passed on to the flow', async () => {
    const { issuer, admitEvent } = await open();
    const token = await issuer.token();
    const admission = await admitEvent(webhookEvent({ headers: { authorization: `Bearer ${token}` } }));
    expect(JSON.stringify(admission)).not.toContain(token.slice(-20));
  });
});

describe('The issuer’s keys', () => {
  test('the issuer’s keys are found by its discovery document, and requested once', async () => {
    const { issuer, by } = await open();
    for (let message = 0; message < 5; message += 1) expect(await by(await issuer.token())).toBeUndefined();
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  test('the issuer’s keys of an issuer with a path are found below it, with a slash at the end too', async () => {
    const { issuer, by } = await open({}, '/tenant-1/');
    issuer.document = { issuer: issuer.url, jwks_uri: `${issuer.server.url}/keys` };
    expect(await by(await issuer.token())).toBe(503);
    expect(issuer.asked).toEqual(['/tenant-1/.well-known/openid-configuration']);
  });

  test('the issuer’s keys are not requested again for tokens that are bad for another reason', async () => {
    const { issuer, by } = await open({ scope: 'orders.write' });
    const { privateKey } = await generateKeyPair('ES256');
    const claims = { iss: issuer.url, aud: 'orders', exp: at + 600, scope: 'orders.write' };
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'key-1' }).sign(privateKey);
    const bad = [
      forged,
      await issuer.token({ exp: at - 600 }),
      await issuer.token({ aud: 'other' }),
      await issuer.token(),
    ];
    for (const token of [...bad, 'a.b.c']) expect(await by(token)).toBe(401);
    expect(issuer.asked).toHaveLength(2);
  });

  test('the issuer’s keys are requested once by twenty requests at once', async () => {
    const { issuer, by } = await open();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => issuer.token()));
    expect(new Set(await Promise.all(tokens.map(by)))).toEqual(new Set([undefined]));
    expect(issuer.asked).toHaveLength(2);
  });

  test('the issuer’s keys may be named by the setting; nothing is discovered then', async () => {
    const { issuer } = await open();
    const verify = verifyAs({
      type: 'jwt',
      issuer: 'https://idp.example',
      audience: 'orders',
      jwksUri: `${issuer.server.url}/keys`,
    });
    const opened = openWebhook({ verify });
    opened.send = createHttpClient();
    const authorization = `Bearer ${await issuer.token({ iss: 'https://idp.example' })}`;
    expect(statusOf(await opened.admitEvent(webhookEvent({ headers: { authorization } })))).toBeUndefined();
    expect(issuer.asked).toEqual(['/keys']);
  });

  test('new keys of the issuer are requested when a token names one, and then not for 30 s', async () => {
    const { issuer, by, clock } = await open();
    expect(await by(await issuer.token())).toBeUndefined();
    await issuer.rotate();
    expect(await by(await issuer.token())).toBeUndefined();
    const { length } = issuer.asked;
    for (let request = 0; request < 20; request += 1)
      expect(await by(await issuer.token({}, { kid: `no-${request}` }))).toBe(401);
    expect(issuer.asked).toHaveLength(length);
    clock.advance(30_000);
    for (let request = 0; request < 20; request += 1) await by(await issuer.token({}, { kid: `no-${request}` }));
    expect(issuer.asked).toHaveLength(length + 2);
  });

  test('keys that the issuer has withdrawn are noticed after ten minutes, beside the work', async () => {
    const { issuer, by, clock, settled } = await open();
    const token = await issuer.token({ exp: at + 86_400 });
    expect(await by(token)).toBeUndefined();
    issuer.keys = [];
    clock.advance(599_999);
    expect(await by(token)).toBeUndefined();
    expect(issuer.asked).toHaveLength(2);
    clock.advance(1);
    expect(await by(token), 'nobody waits for the issuer').toBeUndefined();
    await settled();
    expect(await by(token)).toBe(401);
  });

  test('the issuer’s keys that are over ten minutes old let in at once while the issuer does not answer', async () => {
    const { issuer, by, clock, settled } = await open();
    const token = await issuer.token({ exp: at + 86_400 });
    expect(await by(token)).toBeUndefined();
    issuer.server.fail({ fault: 'hang' });
    clock.advance(600_000);
    expect(await by(token)).toBeUndefined();
    await issuer.server.stop();
    await settled();
  });

  test('the issuer’s keys are not requested for the token of another issuer, or of none', async () => {
    const { issuer, by } = await open();
    const other = await startIssuer();
    const unnamed = ['[]', '7', 'null', '"x"', '{}', 'no json'].map(
      (payload) => `e30.${Buffer.from(payload).toString('base64url')}.AAAA`,
    );
    for (const token of [await other.token(), await issuer.token({ iss: undefined }), ...unnamed])
      expect(await by(token)).toBe(401);
    expect([...issuer.asked, ...other.asked]).toEqual([]);
  });

  test('the issuer’s keys are good for an hour while it does not answer, and no longer', async () => {
    const { issuer, by, clock } = await open();
    const token = await issuer.token({ exp: at + 86_400 });
    expect(await by(token)).toBeUndefined();
    await issuer.server.stop();
    clock.advance(3_599_999);
    expect(await by(token)).toBeUndefined();
    clock.advance(1);
    expect(await by(token)).toBe(503);
  });

  test('the issuer’s keys that cannot be had are 503, requested once in 30 s, and the log says why', async () => {
    const { issuer, admitEvent, clock, by } = await open();
    issuer.server.fail({ fault: { status: 500 }, times: 1_000 });
    const authorization = `Bearer ${await issuer.token()}`;
    for (let request = 0; request < 20; request += 1) {
      expect(await admitEvent(webhookEvent({ headers: { authorization } }))).toMatchObject({
        reply: { status: 503, headers: { 'Retry-After': '30' } },
        cause: {
          code: 'KEYS_UNAVAILABLE',
          message: `keys of the issuer, GET ${issuer.url}/.well-known/openid-configuration: status 500`,
        },
      });
    }
    issuer.server.heal();
    expect(await by(await issuer.token()), 'not asked for 30 s').toBe(503);
    expect(issuer.asked).toEqual([]);
    clock.advance(30_000);
    expect(await by(await issuer.token())).toBeUndefined();
  });

  test.each<[string, (issuer: Issuer) => void, string]>([
    [
      'the document names another issuer',
      (issuer) => {
        issuer.document = { ...issuer.document, issuer: 'https://other.example' };
      },
      'it names another issuer than the setting; set jwksUri',
    ],
    [
      'the document names no keys',
      (issuer) => {
        issuer.document = { issuer: issuer.url };
      },
      'it names no jwks_uri that can be called',
    ],
    [
      'the keys are to be had in the clear',
      (issuer) => {
        issuer.document = { issuer: issuer.url, jwks_uri: 'http://idp.example/keys' };
      },
      'it names no jwks_uri that can be called',
    ],
    [
      'the document is a page',
      (issuer) => issuer.server.fail({ fault: { status: 200, body: '<html>hunter22' } }),
      'the answer is no JSON object',
    ],
    [
      'the document is moved',
      (issuer) => issuer.server.fail({ fault: { status: 302, headers: { Location: 'https://elsewhere.example' } } }),
      'status 302',
    ],
    [
      'the document is endless',
      (issuer) => issuer.server.fail({ fault: { status: 200, body: ' '.repeat(300_000) } }),
      'the answer is no JSON object',
    ],
    [
      'the keys are none',
      (issuer) => {
        issuer.keys = ['hunter22'] as never;
      },
      'the answer is no set of keys',
    ],
  ])('the issuer’s keys are 503 where %s', async (_, spoil, problem) => {
    const { issuer, admitEvent } = await open();
    spoil(issuer);
    const authorization = `Bearer ${await issuer.token()}`;
    const admission = await admitEvent(webhookEvent({ headers: { authorization } }));
    expect(admission).toMatchObject({ reply: { status: 503 }, cause: { code: 'KEYS_UNAVAILABLE' } });
    const message = 'cause' in admission ? admission.cause?.message : '';
    expect(message).toContain(problem);
    expect(message).not.toContain('hunter22');
  });

  test('a damaged key of the issuer lets nobody in; its other keys do', async () => {
    const { issuer, by } = await open();
    issuer.keys = [...issuer.keys, { kty: 'RSA', kid: 'damaged', n: 'AQAB', e: 'AQAB', alg: 'RS256' }];
    const { privateKey } = await generateKeyPair('RS256');
    const claims = { iss: issuer.url, aud: 'orders', exp: at + 600 };
    const header = { alg: 'RS256', kid: 'damaged' };
    expect(await by(await new SignJWT(claims).setProtectedHeader(header).sign(privateKey))).toBe(401);
    expect(await by(await issuer.token())).toBeUndefined();
  });

  test('the issuer’s keys that do not come in time end with the invocation: 503, and the call is aborted', async () => {
    const { issuer, ...rest } = await open();
    issuer.server.fail({ fault: 'hang' });
    const abort = new AbortController();
    const signals: (AbortSignal | undefined)[] = [];
    const opened = openWebhook({ verify: rest.route.webhook.verify });
    opened.deadline = deadlineOf(10_000, abort.signal);
    opened.send = (request) => {
      signals.push(request.signal);
      setImmediate(() => abort.abort(new RelayError('DEADLINE', 'the time of the invocation is over')));
      return rest.send(request);
    };
    const authorization = `Bearer ${await issuer.token()}`;
    const admission = await opened.admitEvent(webhookEvent({ headers: { authorization } }));
    expect(admission).toMatchObject({ reply: { status: 503 }, cause: { code: 'DEADLINE' } });
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
  });

  test('the issuer’s keys are waited for no longer than 5 s, or than there is time', async () => {
    const issuer = await startIssuer();
    for (const [remainingMs, timeoutMs] of [
      [30_000, 5_000],
      [1_200, 1_200],
    ] as const) {
      const opened = openWebhook({ verify: verifyAs({ type: 'jwt', issuer: issuer.url, audience: 'orders' }) });
      opened.deadline = deadlineOf(remainingMs);
      const timeouts: number[] = [];
      opened.send = (request) => {
        timeouts.push(request.timeoutMs);
        return createHttpClient()(request);
      };
      await opened.admitEvent(webhookEvent({ headers: { authorization: `Bearer ${await issuer.token()}` } }));
      expect(timeouts).toEqual([timeoutMs, timeoutMs]);
    }
  });
});
