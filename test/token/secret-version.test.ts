/** A token and the version of the secret that it was requested with: which of the two outlives the other. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { granted } from '../doubles/answer.ts';
import { createAuthorization } from './authorization.ts';
import { cf, neo } from './clients.ts';

describe('A token bought under one version of the secret', () => {
  const v2 = { ...cf, versionId: 'v2' };

  test('a token of one version of the secret is not kept once another token made a newer one known', async () => {
    const authorization = createAuthorization();
    const { token, credentials } = authorization;
    const first = await token.get();
    authorization.secret = v2;
    credentials.forget(await credentials.get());
    await credentials.get();
    expect((await token.get()).accessToken).toBe('token-2');
    expect(await token.get()).not.toBe(first);
  });

  test('a token is kept where the secret was read again and has the same version', async () => {
    const { token, credentials } = createAuthorization();
    const first = await token.get();
    credentials.forget(await credentials.get());
    await credentials.get();
    expect(await token.get()).toBe(first);
  });

  test('a token of the previous version of the secret is kept while the newer one is unknown', async () => {
    const authorization = createAuthorization();
    authorization.secret = v2;
    authorization.previous = neo;
    authorization.respond = ({ url }, index) =>
      url.origin === new URL(neo.tokenUrl).origin
        ? granted(`token-${index}`, { expires_in: 3600 })
        : { ...granted(''), status: 401 };
    const first = await authorization.token.get();
    expect(await authorization.token.get()).toBe(first);
    expect(authorization.requests).toHaveLength(2);
  });
});

test('without a secret no token is requested', async () => {
  const authorization = createAuthorization();
  authorization.secret = new RelayError('SECRET_UNAVAILABLE', 'not now');
  await expect(authorization.token.get()).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  expect(authorization.counts).toEqual({ secretReads: 1, previousReads: 0, onRequest: 0 });
  authorization.secret = cf;
  expect((await authorization.token.get()).accessToken).toBe('token-1');
});
