import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http/http.ts';
import { answer, granted } from '../doubles/answer.ts';
import { turn } from '../doubles/time.ts';
import { createAuthorization } from './authorization.ts';
import { cf } from './clients.ts';

const refused = answer(401, { error: 'invalid_client' });

/**
 * A token that is good for half an hour more, and a renewal that was refused with v1 and now waits for its answer to
 * v2.
 */
async function renewingWithNewVersion() {
  const authorization = createAuthorization();
  const { token, clock } = authorization;
  const first = await token.get();
  authorization.secret = { ...cf, versionId: 'v2', clientAuthentication: { clientSecret: 'of-today' } };
  const { promise, resolve } = Promise.withResolvers<HttpAnswer>();
  authorization.respond = (_, index) => (index === 2 ? refused : promise);
  clock.advance(1_800_000);
  await token.get();
  await turn();
  return { ...authorization, first, resolve };
}

describe('A message that comes while a renewal asks with a newer version of the secret', () => {
  test('a message during a renewal with a newer secret does not wait: the good token goes out', async () => {
    const { token, first, resolve } = await renewingWithNewVersion();
    const got = await Promise.race([token.get(), turn().then(() => 'one waits')]);
    resolve(granted('new', { expires_in: 3_600 }));
    expect(got).toBe(first);
  });

  test('a message during a renewal with a newer secret does not fail with the renewal', async () => {
    const { token, first, resolve } = await renewingWithNewVersion();
    const asked = token.get().catch((error: Error) => error.message);
    resolve(answer(404));
    expect(await asked).toBe(first);
  });
});
