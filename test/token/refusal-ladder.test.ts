/** When the authorization server refuses: the secret is read once more, and only what has changed is tried once more. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer } from '../../functions/http-client.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { answer, cf, granted, MARK, relayError } from './token-answer.ts';

const refused = answer(401, { error: 'invalid_client', error_description: MARK });
const rotated = { ...cf, clientSecret: `rotated-${MARK}` };

async function errorOf({ token }: Authorization): Promise<RelayError> {
  return token.get().then(
    () => Promise.reject(new Error('expected an error')),
    (error) => relayError(error, [rotated.clientSecret]),
  );
}

/** An authorization server that knows only this client secret. */
function knowing(authorization: Authorization, clientSecret: string): void {
  authorization.respond = (_, index) =>
    authorization.asked.at(-1) === clientSecret ? granted(`token-${index}`, { expires_in: 3600 }) : refused;
}

describe('A refused token request', () => {
  test('with a secret that has not changed is not repeated', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => refused;
    expect(await errorOf(authorization)).toMatchObject({ code: 'TOKEN_REFUSED', status: 401, executed: 'no' });
    expect(authorization.asked).toEqual([cf.clientSecret]);
    expect(authorization.counts).toEqual({ secretReads: 2, onRequest: 1 });
  });

  test('with a secret that was rotated is repeated with the new one', async () => {
    const authorization = createAuthorization();
    await authorization.token.get();
    authorization.clock.ms += 3_600_000;
    authorization.secret = rotated;
    knowing(authorization, rotated.clientSecret);
    expect((await authorization.token.get()).accessToken).toBe('token-3');
    expect(authorization.asked).toEqual([cf.clientSecret, cf.clientSecret, rotated.clientSecret]);
    expect(authorization.counts).toEqual({ secretReads: 2, onRequest: 3 });
  });

  test.each([
    ['the client id', { clientId: 'sb-other' }],
    ['the client secret', { clientSecret: rotated.clientSecret }],
    ['the token URL', { tokenUrl: 'https://other.authentication.eu10.hana.ondemand.com/oauth/token' }],
  ])('is repeated once where %s has changed, and not a third time', async (_, change) => {
    const authorization = createAuthorization();
    authorization.respond = () => {
      authorization.secret = { ...cf, ...change };
      return refused;
    };
    expect(await errorOf(authorization)).toMatchObject({ code: 'TOKEN_REFUSED' });
    expect(authorization.counts).toEqual({ secretReads: 2, onRequest: 2 });
  });

  test('is not repeated where only the version of the secret has changed', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => {
      authorization.secret = { ...cf, versionId: 'v2' };
      return refused;
    };
    expect(await errorOf(authorization)).toMatchObject({ code: 'TOKEN_REFUSED' });
    expect(authorization.counts.onRequest).toBe(1);
  });

  test('leaves the new secret warm', async () => {
    const authorization = createAuthorization();
    await authorization.token.get();
    authorization.clock.ms += 3_600_000;
    authorization.secret = rotated;
    knowing(authorization, rotated.clientSecret);
    await authorization.token.get();
    authorization.clock.ms += 3_600_000;
    await authorization.token.get();
    expect(authorization.asked.at(-1)).toBe(rotated.clientSecret);
    expect(authorization.counts.secretReads).toBe(2);
  });

  test('after which the secret cannot be read says that', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => {
      authorization.secret = new RelayError('SECRET_UNAVAILABLE', 'not now');
      return refused;
    };
    expect(await errorOf(authorization)).toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    expect(authorization.counts).toEqual({ secretReads: 2, onRequest: 1 });
  });

  test('is asked for again by the next who wants a token', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => refused;
    await errorOf(authorization);
    authorization.respond = () => granted('healed');
    expect((await authorization.token.get()).accessToken).toBe('healed');
  });

  test('climbs the ladder once for all who wait', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => refused;
    await Promise.all(Array.from({ length: 20 }, () => errorOf(authorization)));
    expect(authorization.counts).toEqual({ secretReads: 2, onRequest: 1 });
  });
});

describe('No second reading of the secret follows', () => {
  test.each<[number | string, HttpAnswer, string]>([
    [400, answer(400, { error: 'invalid_request' }), 'TOKEN_REFUSED'],
    [403, answer(403), 'TOKEN_REFUSED'],
    [404, answer(404), 'TOKEN_RESPONSE_INVALID'],
    [429, answer(429), 'TOKEN_UNAVAILABLE'],
    [500, answer(500), 'TOKEN_UNAVAILABLE'],
    ['HTML', answer(200, '<html>'), 'TOKEN_RESPONSE_INVALID'],
  ])('on %s', async (_, response, code) => {
    const authorization = createAuthorization();
    authorization.respond = () => response;
    expect(await errorOf(authorization)).toMatchObject({ code });
    expect(authorization.counts).toEqual({ secretReads: 1, onRequest: 1 });
  });
});

describe('A token request without an answer', () => {
  const host = 'acme-dev.authentication.eu10.hana.ondemand.com';

  test.each([
    [
      'that timed out',
      new RelayError('TIMED_OUT', 'POST there: no answer', { executed: 'unknown' }),
      'POST there: no answer',
    ],
    [
      'that was reset',
      new RelayError('CONNECTION_FAILED', 'POST there: reset', { executed: 'unknown' }),
      'POST there: reset',
    ],
    ['that failed as nobody foresaw', 'a text', 'no answer'],
  ])('%s has not touched the message, and may be tried later', async (_, thrown, reason) => {
    const authorization = createAuthorization();
    authorization.respond = () => Promise.reject(thrown);
    const error = await errorOf(authorization);
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE', executed: 'no', cause: thrown });
    expect(error.message).toBe(`token endpoint on ${host}: ${reason}; a later try may help`);
    expect(authorization.counts).toEqual({ secretReads: 1, onRequest: 1 });
  });
});

test('Without a secret nobody is asked for a token', async () => {
  const authorization = createAuthorization();
  authorization.secret = new RelayError('SECRET_UNREADABLE', 'does not exist');
  expect(await errorOf(authorization)).toMatchObject({ code: 'SECRET_UNREADABLE' });
  expect(authorization.counts).toEqual({ secretReads: 1, onRequest: 0 });
  authorization.secret = cf;
  expect((await authorization.token.get()).accessToken).toBe('token-1');
});
