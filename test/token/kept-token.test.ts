/**
 * A token that is good for half an hour more is kept, whatever has made it look for a successor, and whatever that met.
 */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer } from '../../functions/http/http.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import { answer, granted } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { turn } from '../doubles/time.ts';
import { createAuthorization } from './authorization.ts';
import { cf } from './clients.ts';

const HALF_HOUR_MS = 1_800_000;
const refused = answer(401, { error: 'invalid_client' });
const v2: Credentials = { ...cf, clientAuthentication: { clientSecret: 'of-today' }, versionId: 'v2' };

const failures: readonly (readonly [name: string, respond: () => HttpAnswer | Promise<HttpAnswer>])[] = [
  ['a 503', () => answer(503)],
  ['a 429', () => answer(429, '', { 'retry-after': '60' })],
  ['a refusal', () => refused],
  ['a refusal of the scope', () => answer(400, { error: 'invalid_scope' })],
  ['a login page', () => answer(200, '<html>')],
  ['no answer', () => Promise.reject(new RelayError('CONNECTION_FAILED', 'reset'))],
  ['no time', () => Promise.reject(new RelayError('DEADLINE', 'over'))],
  ['a bug of ours', () => Promise.reject(new TypeError('bug'))],
];

describe('A good token is kept where a renewal', () => {
  test.each(failures)(
    'a good token is kept where a renewal after a refusal, with a newer version of the secret, meets %s',
    async (_, respond) => {
      const authorization = createAuthorization();
      const { token, clock } = authorization;
      const first = await token.get();
      authorization.respond = () => refused;
      clock.advance(HALF_HOUR_MS);
      await token.get();
      await token.renewing();
      // The pause is over, and the operator has stored what the server now takes, if it is there.
      clock.advance(30_000);
      authorization.secret = v2;
      authorization.respond = respond;
      expect(await token.get()).toBe(first);
      await token.renewing();
      expect(authorization.credentials.peek()?.versionId).toBe('v2');
      expect(await token.get()).toBe(first);
      await turn();
      expect(authorization.renewalFailures).toHaveLength(2);
    },
  );

  test.each(failures)(
    'a good token is kept where a renewal because of a newer version, known through another token, meets %s',
    async (_, respond) => {
      const authorization = createAuthorization();
      const { token, credentials, clock } = authorization;
      const first = await token.get();
      authorization.secret = v2;
      await credentials.renew(await credentials.get());
      authorization.respond = respond;
      clock.advance(1_000);
      expect(await token.get()).toBe(first);
      expect(authorization.renewalFailures).toHaveLength(1);
      const asked = authorization.requests.length;
      expect(await token.get()).toBe(first);
      expect(authorization.requests).toHaveLength(asked);
    },
  );

  test('a good token is kept where a renewal meets a pause of an older version of the secret', async () => {
    const authorization = createAuthorization();
    const { token, credentials, clock } = authorization;
    const first = await token.get();
    authorization.respond = () => refused;
    clock.advance(HALF_HOUR_MS);
    await token.get();
    await token.renewing();
    authorization.secret = v2;
    await credentials.renew(await credentials.get());
    expect(await token.get()).toBe(first);
  });
});

test('a pause after a refusal ends as soon as another token of the secret has read a newer version of it', async () => {
  const authorization = createAuthorization();
  const { token, credentials, clock } = authorization;
  await token.get();
  authorization.respond = () => refused;
  clock.advance(HALF_HOUR_MS);
  await token.get();
  await token.renewing();
  authorization.secret = v2;
  authorization.respond = () => granted('successor', { expires_in: 3_600 });
  await credentials.renew(await credentials.get());
  expect((await token.get()).accessToken).toBe('successor');
});

test('two refused versions of a secret that come in turns end no pause', async () => {
  const authorization = createAuthorization();
  const { token, credentials } = authorization;
  authorization.respond = () => refused;
  for (let turns = 0; turns < 40; turns += 1) {
    authorization.secret = turns % 2 === 0 ? v2 : cf;
    // Another token of the secret reads it.
    await credentials.renew(await credentials.get());
    await token.get().catch((error: RelayError) => error.code);
  }
  expect(authorization.requests.length).toBeLessThan(5);
});

test('a pause that the server asks for after a refusal is not ended by a newer version of the secret', async () => {
  const authorization = createAuthorization();
  const { token, credentials, clock } = authorization;
  authorization.respond = () => refused;
  await expect(token.get()).rejects.toMatchObject({ code: 'TOKEN_REFUSED' });
  clock.advance(30_000);
  authorization.respond = () => answer(429, '', { 'retry-after': '120' });
  await expect(token.get(deadlineOf(5_000))).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
  const asked = authorization.requests.length;
  authorization.secret = v2;
  await credentials.renew(await credentials.get());
  await expect(token.get(deadlineOf(5_000))).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
  expect(authorization.requests).toHaveLength(asked);
});

test('whoever asks for a successor itself gets the error that there is none; no renewal ahead has failed', async () => {
  const authorization = createAuthorization();
  const first = await authorization.token.get();
  authorization.respond = () => answer(503);
  await expect(authorization.token.renew(first)).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
  expect(authorization.renewalFailures).toEqual([]);
  expect(await authorization.token.get()).toBe(first);
});

test('a token that was kept looks for a successor again once there is yet a newer version of the secret', async () => {
  const authorization = createAuthorization();
  const { token, credentials, clock } = authorization;
  const first = await token.get();
  authorization.respond = () => answer(503);
  clock.advance(HALF_HOUR_MS);
  await token.get();
  await token.renewing();
  expect(await token.get()).toBe(first);
  authorization.secret = v2;
  await credentials.renew(await credentials.get());
  authorization.respond = () => granted('successor', { expires_in: 3_600 });
  expect((await token.get()).accessToken).toBe('successor');
});

describe('It is not kept', () => {
  test('a token is not kept once the endpoint has rejected it', async () => {
    const { token, authorization } = await newerVersion();
    token.forget(await token.get());
    authorization.respond = () => answer(503);
    await expect(token.get()).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
  });

  test('a token is not kept where the endpoint rejects it while its successor is requested', async () => {
    const { token, authorization, first } = await newerVersion();
    const { promise, resolve } = Promise.withResolvers<HttpAnswer>();
    authorization.respond = () => promise;
    const asked = token.get().catch((error: RelayError) => error.code);
    await turn();
    token.forget(first);
    resolve(answer(404));
    expect(await asked).toBe('TOKEN_RESPONSE_INVALID');
  });

  test('a token is not kept beyond its margin', async () => {
    const { token, authorization } = await newerVersion();
    authorization.respond = () => answer(503);
    authorization.clock.advance(2 * HALF_HOUR_MS - 60_000 - 13_000);
    await expect(token.get()).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
  });

  test('a token is not kept where there is a successor: that one goes out', async () => {
    const { token, authorization } = await newerVersion();
    authorization.respond = () => granted('successor', { expires_in: 3_600 });
    expect((await token.get()).accessToken).toBe('successor');
  });

  async function newerVersion() {
    const authorization = createAuthorization();
    const { token, credentials } = authorization;
    const first = await token.get();
    authorization.secret = v2;
    await credentials.renew(await credentials.get());
    return { authorization, token, first };
  }
});
