/** The pause after a refusal that only an operator can end: how long it lasts, what happens meanwhile, what ends it. */

import { describe, expect, test } from 'vitest';
import { RelayError, type RelayErrorCode } from '../../functions/error.ts';
import { createPause } from '../../functions/warm/pause.ts';
import { answer, granted } from '../doubles/answer.ts';
import { createSimulatedTime } from '../doubles/time.ts';
import { MARK } from '../doubles/token.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { CF_SECRET, cf, relayError } from './clients.ts';

const refused = answer(401, { error: 'invalid_client' });
const ROTATED = `rotated-${MARK}`;
const rotated = { ...cf, clientAuthentication: { clientSecret: ROTATED } };

async function errorOf({ token }: Authorization): Promise<RelayError> {
  return token.get().then(
    () => Promise.reject(new Error('expected an error')),
    (error) => relayError(error, [ROTATED]),
  );
}

describe('While a refusal’s pause lasts', () => {
  test('while a refusal’s pause lasts nobody is asked for anything, and everyone gets that refusal', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => refused;
    const refusal = await errorOf(authorization);
    const counts = { ...authorization.counts };
    authorization.secret = rotated;
    authorization.respond = () => granted('too early');
    for (const afterMs of [0, 1, 29_998]) {
      authorization.clock.advance(afterMs);
      expect(await errorOf(authorization)).toBe(refusal);
    }
    expect(authorization.counts).toEqual(counts);
  });

  test('the secret is read when a refusal’s pause ends, and a new version of it is used', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => refused;
    await errorOf(authorization);
    authorization.secret = rotated;
    authorization.respond = () => granted('healed', { expires_in: 3600 });
    authorization.clock.advance(30_000);
    expect((await authorization.token.get()).accessToken).toBe('healed');
    expect(authorization.asked).toEqual([CF_SECRET, ROTATED]);
    expect(authorization.counts).toMatchObject({ secretReads: 3, onRequest: 2 });
  });
});

test('when the pause ends and the secret cannot be read, nobody is asked with the one that was refused', async () => {
  const authorization = createAuthorization();
  authorization.respond = () => refused;
  await errorOf(authorization);
  authorization.clock.advance(30_000);
  authorization.secret = new RelayError('SECRET_UNAVAILABLE', 'not now');
  for (let attempt = 0; attempt < 3; attempt += 1)
    expect(await errorOf(authorization)).toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  expect(authorization.counts).toMatchObject({ secretReads: 5, onRequest: 1 });
  authorization.secret = rotated;
  authorization.respond = () => granted('healed', { expires_in: 3600 });
  expect((await authorization.token.get()).accessToken).toBe('healed');
  expect(authorization.asked).toEqual([CF_SECRET, ROTATED]);
});

describe('The pause', () => {
  test('the pause doubles with each refusal in a row, from 30 s up to 5 min', async () => {
    const authorization = createAuthorization();
    const { clock, counts } = authorization;
    authorization.respond = () => refused;
    for (const [index, seconds] of [30, 60, 120, 240, 300, 300, 300].entries()) {
      await errorOf(authorization);
      expect(counts.onRequest).toBe(index + 1);
      clock.advance(seconds * 1000 - 1);
      await errorOf(authorization);
      expect(counts.onRequest).toBe(index + 1);
      clock.advance(1);
    }
  });

  test('the pause is short again once a token was granted', async () => {
    const authorization = createAuthorization();
    const { clock, counts, token } = authorization;
    authorization.respond = () => refused;
    for (let refusal = 0; refusal < 4; refusal += 1) {
      await errorOf(authorization);
      clock.advance(300_000);
    }
    authorization.respond = () => granted('healed', { expires_in: 3600 });
    token.forget(await token.get());
    authorization.respond = () => refused;
    await errorOf(authorization);
    clock.advance(30_000);
    await errorOf(authorization);
    expect(counts.onRequest).toBe(4 + 1 + 2);
  });

  const answers = [
    ['a refusal (400)', answer(400), 'TOKEN_REFUSED'],
    ['a client that is blocked (403)', answer(403), 'TOKEN_REFUSED'],
    ['a login page', answer(200, '<html>'), 'TOKEN_RESPONSE_INVALID'],
    ['a redirect', answer(302), 'TOKEN_RESPONSE_INVALID'],
    [
      'a token that is over',
      granted(`e30.${Buffer.from('{"exp":1}').toString('base64url')}.c`),
      'TOKEN_RESPONSE_INVALID',
    ],
  ] as const;
  test.each(answers)('a pause follows %s', async (_, response, code) => {
    const authorization = createAuthorization();
    authorization.respond = () => response;
    const first = await errorOf(authorization);
    expect(first.code).toBe(code);
    expect(await errorOf(authorization)).toBe(first);
    expect(authorization.counts).toMatchObject({ secretReads: 1, onRequest: 1 });
  });

  test.each<RelayErrorCode>(['SECRET_NOT_FOUND', 'SECRET_UNREADABLE', 'SECRET_MALFORMED'])(
    'a pause follows a secret that is %s, and when it ends the secret is read',
    async (code) => {
      const authorization = createAuthorization();
      authorization.secret = new RelayError(code, 'why');
      expect(await errorOf(authorization)).toMatchObject({ code });
      authorization.secret = cf;
      expect(await errorOf(authorization)).toMatchObject({ code });
      expect(authorization.counts).toMatchObject({ secretReads: 1, onRequest: 0 });
      authorization.clock.advance(30_000);
      expect((await authorization.token.get()).accessToken).toBe('token-1');
    },
  );

  test.each([
    ['a token endpoint that is down', { code: 'TOKEN_UNAVAILABLE', response: answer(503), secret: cf }],
    [
      'a secret that cannot be read now',
      { code: 'SECRET_UNAVAILABLE', response: refused, secret: new RelayError('SECRET_UNAVAILABLE', 'not now') },
    ],
  ])('no pause follows %s', async (_, { code, response, secret }) => {
    const authorization = createAuthorization();
    authorization.secret = secret;
    authorization.respond = () => response;
    expect(await errorOf(authorization)).toMatchObject({ code });
    authorization.secret = cf;
    authorization.respond = () => granted('healed');
    expect((await authorization.token.get()).accessToken).toBe('healed');
  });
});

describe('A pause by itself', () => {
  const clock = createSimulatedTime(0);
  const start = () => createPause(clock.now);

  test('there is no pause before a refusal', () => {
    expect(start().current()).toBeUndefined();
  });

  test('a pause that lasts is neither prolonged nor renamed by those who are refused at once', () => {
    const pause = start();
    const [first, second] = [new Error('first'), new Error('second')];
    pause.open(first);
    clock.advance(10_000);
    pause.open(second);
    expect(pause.current()).toBe(first);
    clock.advance(20_000);
    expect(pause.current()).toBeUndefined();
    pause.open(second);
    clock.advance(59_999);
    expect(pause.current()).toBe(second);
  });

  test('a pause is over where the clock was put back to before it began, and can be opened again', () => {
    const pause = start();
    pause.open(new Error('first'));
    clock.advance(-1);
    expect(pause.current()).toBeUndefined();
    const second = new Error('second');
    pause.open(second);
    expect(pause.current()).toBe(second);
  });

  test('a pause is ended at once by a success', () => {
    const pause = start();
    pause.open(new Error('why'));
    pause.end();
    expect(pause.current()).toBeUndefined();
  });
});
