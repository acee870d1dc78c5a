/**
 * When the authorization server refuses: the secret is read once more, then its previous version, and only what differs
 * is tried; if all are refused, nobody asks again until the pause is over.
 */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer } from '../../functions/http/http.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import { answer, granted } from '../doubles/answer.ts';
import { MARK } from '../doubles/token.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { CF_SECRET, cf, relayError } from './clients.ts';

const refused = answer(401, { error: 'invalid_client', error_description: MARK });
const withSecret = (clientSecret: string): Credentials => ({ ...cf, clientAuthentication: { clientSecret } });
const ROTATED = `rotated-${MARK}`;
const OLD = `old-${MARK}`;
const rotated = withSecret(ROTATED);
const old = withSecret(OLD);

async function errorOf({ token }: Authorization): Promise<RelayError> {
  return token.get().then(
    () => Promise.reject(new Error('expected an error')),
    (error) => relayError(error, [ROTATED, OLD]),
  );
}

/** An authorization server that knows only this client secret. */
function knowing(authorization: Authorization, clientSecret: string): void {
  authorization.respond = (_, index) =>
    authorization.asked.at(-1) === clientSecret ? granted(`token-${index}`, { expires_in: 3600 }) : refused;
}

describe('A refused token request', () => {
  test('a refused token request is not repeated with a secret that has not changed and never did', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => refused;
    expect(await errorOf(authorization)).toMatchObject({ code: 'TOKEN_REFUSED', status: 401, executed: 'no' });
    expect(authorization.asked).toEqual([CF_SECRET]);
    expect(authorization.counts).toEqual({ secretReads: 2, previousReads: 1, onRequest: 1 });
  });

  test('a refused token request is repeated with the new secret after a rotation', async () => {
    const authorization = createAuthorization();
    await authorization.token.get();
    authorization.clock.advance(3_600_000);
    authorization.secret = rotated;
    knowing(authorization, ROTATED);
    expect((await authorization.token.get()).accessToken).toBe('token-3');
    expect(authorization.asked).toEqual([CF_SECRET, CF_SECRET, ROTATED]);
    expect(authorization.counts).toEqual({ secretReads: 2, previousReads: 0, onRequest: 3 });
  });

  test('a refused token request is repeated with the previous secret while the new one is unknown', async () => {
    const authorization = createAuthorization();
    authorization.secret = rotated;
    authorization.previous = old;
    knowing(authorization, OLD);
    expect((await authorization.token.get()).accessToken).toBe('token-2');
    expect(authorization.asked).toEqual([ROTATED, OLD]);
    expect(authorization.counts).toEqual({ secretReads: 2, previousReads: 1, onRequest: 2 });
  });

  test('a refused token request tries all three versions of the secret, and no more', async () => {
    const authorization = createAuthorization();
    authorization.previous = old;
    authorization.respond = () => {
      authorization.secret = rotated;
      return refused;
    };
    expect(await errorOf(authorization)).toMatchObject({ code: 'TOKEN_REFUSED', status: 401 });
    expect(authorization.asked).toEqual([CF_SECRET, ROTATED, OLD]);
    expect(authorization.counts).toEqual({ secretReads: 2, previousReads: 1, onRequest: 3 });
  });

  test.each([
    ['the version that is in use', cf],
    ['the version that was refused at first', withSecret(CF_SECRET)],
  ])(
    'a refused token request is not repeated with a previous version that holds the same as %s',
    async (_, previous) => {
      const authorization = createAuthorization();
      authorization.previous = { ...previous, versionId: 'v0' };
      authorization.respond = () => refused;
      expect(await errorOf(authorization)).toMatchObject({ code: 'TOKEN_REFUSED' });
      expect(authorization.asked).toEqual([CF_SECRET]);
    },
  );

  test('a refused token request is not repeated with a previous version that was refused at first', async () => {
    const authorization = createAuthorization();
    authorization.previous = cf;
    authorization.respond = () => {
      authorization.secret = rotated;
      return refused;
    };
    await errorOf(authorization);
    expect(authorization.asked).toEqual([CF_SECRET, ROTATED]);
  });

  test('a refused token request whose previous version cannot be read fails with that', async () => {
    const authorization = createAuthorization();
    authorization.previous = new RelayError('SECRET_UNAVAILABLE', 'not now');
    authorization.respond = () => refused;
    expect(await errorOf(authorization)).toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  });

  test.each([
    ['the client id', { clientId: 'sb-other' }],
    ['the client secret', { clientAuthentication: { clientSecret: ROTATED } }],
    ['the token URL', { tokenUrl: 'https://other.authentication.eu10.hana.ondemand.com/oauth/token' }],
  ])('a refused token request is repeated once where %s has changed, and not a third time', async (_, change) => {
    const authorization = createAuthorization();
    authorization.respond = () => {
      authorization.secret = { ...cf, ...change };
      return refused;
    };
    expect(await errorOf(authorization)).toMatchObject({ code: 'TOKEN_REFUSED' });
    expect(authorization.counts).toEqual({ secretReads: 2, previousReads: 1, onRequest: 2 });
  });

  test('a refused token request is not repeated where only the version of the secret has changed', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => {
      authorization.secret = { ...cf, versionId: 'v2' };
      return refused;
    };
    expect(await errorOf(authorization)).toMatchObject({ code: 'TOKEN_REFUSED' });
    expect(authorization.counts.onRequest).toBe(1);
  });

  test('a refused token request leaves the new secret in memory', async () => {
    const authorization = createAuthorization();
    await authorization.token.get();
    authorization.clock.advance(3_600_000);
    authorization.secret = rotated;
    knowing(authorization, ROTATED);
    await authorization.token.get();
    authorization.clock.advance(3_600_000);
    await authorization.token.get();
    expect(authorization.asked.at(-1)).toBe(ROTATED);
    expect(authorization.counts.secretReads).toBe(2);
  });

  test('a refused token request after which the secret cannot be read fails with that', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => {
      authorization.secret = new RelayError('SECRET_UNAVAILABLE', 'not now');
      return refused;
    };
    expect(await errorOf(authorization)).toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    expect(authorization.counts).toEqual({ secretReads: 2, previousReads: 0, onRequest: 1 });
  });

  test('a refused token request after which the secret cannot be read begins a pause all the same', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => {
      authorization.secret = new RelayError('SECRET_UNAVAILABLE', 'not now');
      return refused;
    };
    const error = await errorOf(authorization);
    authorization.clock.advance(29_999);
    expect(await errorOf(authorization)).toBe(error);
    expect(authorization.counts).toEqual({ secretReads: 2, previousReads: 0, onRequest: 1 });
  });

  test('a refused token request after which an error of our own comes begins no pause', async () => {
    const authorization = createAuthorization();
    const bug = new TypeError('bug');
    const broken = answer(200);
    Object.defineProperty(broken, 'status', {
      get: () => {
        throw bug;
      },
    });
    authorization.respond = (_, index) => {
      authorization.secret = rotated;
      return index === 1 ? refused : broken;
    };
    await expect(authorization.token.get()).rejects.toBe(bug);
    authorization.respond = () => granted('then', { expires_in: 3600 });
    expect((await authorization.token.get()).accessToken).toBe('then');
  });

  test('a refused token request is followed by one series of fallbacks for all who wait', async () => {
    const authorization = createAuthorization();
    authorization.respond = () => refused;
    await Promise.all(Array.from({ length: 20 }, () => errorOf(authorization)));
    expect(authorization.counts).toEqual({ secretReads: 2, previousReads: 1, onRequest: 1 });
  });
});

describe('RFC 6749 makes 401 optional: a 400 with invalid_client', () => {
  const refusedWith400 = answer(400, { error: 'invalid_client', error_description: MARK });

  test('a 400 with invalid_client falls back as a 401 does, to the new secret after a rotation', async () => {
    const authorization = createAuthorization();
    await authorization.token.get();
    authorization.clock.advance(3_600_000);
    authorization.secret = rotated;
    authorization.respond = (_, index) =>
      authorization.asked.at(-1) === ROTATED ? granted(`token-${index}`, { expires_in: 3600 }) : refusedWith400;
    expect((await authorization.token.get()).accessToken).toBe('token-3');
    expect(authorization.asked).toEqual([CF_SECRET, CF_SECRET, ROTATED]);
  });

  test('a 400 with invalid_client tries all three versions of the secret, then begins a pause', async () => {
    const authorization = createAuthorization();
    authorization.previous = old;
    authorization.respond = () => {
      authorization.secret = rotated;
      return refusedWith400;
    };
    const error = await errorOf(authorization);
    expect(error).toMatchObject({ code: 'TOKEN_REFUSED', status: 400 });
    expect(authorization.asked).toEqual([CF_SECRET, ROTATED, OLD]);
    expect(await errorOf(authorization)).toBe(error);
    expect(authorization.counts.onRequest).toBe(3);
  });
});

test('after the last fallback the error is the one for the current version of the secret', async () => {
  const authorization = createAuthorization();
  authorization.previous = { ...old, tokenUrl: 'https://former.authentication.example/oauth/token' };
  authorization.respond = () => refused;
  const { message } = await errorOf(authorization);
  expect(authorization.asked).toEqual([CF_SECRET, OLD]);
  expect(message).toContain(new URL(cf.tokenUrl).host);
});

describe('No second reading of the secret follows', () => {
  test.each<[number | string, HttpAnswer, string, number]>([
    [400, answer(400, { error: 'invalid_request' }), 'TOKEN_REFUSED', 1],
    ['400 invalid_scope', answer(400, { error: 'invalid_scope' }), 'TOKEN_REFUSED', 1],
    ['400 unauthorized_client', answer(400, { error: 'unauthorized_client' }), 'TOKEN_REFUSED', 1],
    [403, answer(403), 'TOKEN_REFUSED', 1],
    [404, answer(404), 'TOKEN_RESPONSE_INVALID', 1],
    [429, answer(429), 'TOKEN_UNAVAILABLE', 4],
    [500, answer(500), 'TOKEN_UNAVAILABLE', 4],
    ['HTML', answer(200, '<html>'), 'TOKEN_RESPONSE_INVALID', 1],
  ])('the secret is not read a second time on %s', async (_, response, code, onRequest) => {
    const authorization = createAuthorization();
    authorization.previous = old;
    authorization.respond = () => response;
    expect(await errorOf(authorization)).toMatchObject({ code });
    expect(authorization.counts).toEqual({ secretReads: 1, previousReads: 0, onRequest });
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
  ])('a token request %s has not touched the message, and may be tried later', async (_, thrown, reason) => {
    const authorization = createAuthorization();
    authorization.respond = () => Promise.reject(thrown);
    const error = await errorOf(authorization);
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE', executed: 'no', cause: thrown });
    expect(error.message).toBe(`token endpoint on ${host}: ${reason}; a later try may help`);
    expect(authorization.counts).toEqual({ secretReads: 1, previousReads: 0, onRequest: 4 });
  });

  test('a token request that the end of the invocation cut off fails with that, and is not repeated', async () => {
    const authorization = createAuthorization();
    const over = new RelayError('DEADLINE', 'the time of the invocation is over');
    authorization.respond = () => Promise.reject(over);
    expect(await errorOf(authorization)).toBe(over);
    expect(authorization.counts.onRequest).toBe(1);
  });
});
