/** A renewal that is refused and meets a newer version of the secret. */
import { expect, test } from 'vitest';
import { answer } from '../doubles/answer.ts';
import { createAuthorization } from './authorization.ts';
import { cf } from './clients.ts';

// The token was requested with v1 and is good for half an hour more; the newer version only makes it look for a
// successor.
test.each([
  ['that says the same', {}],
  ['that is mistyped', { clientAuthentication: { clientSecret: 'mistyped' } }],
])(
  'A renewal that is refused, with a newer version of the secret %s, keeps the token that is still good',
  async (_, change) => {
    const authorization = createAuthorization();
    const { token, clock } = authorization;
    const first = await token.get();
    authorization.secret = { ...cf, versionId: 'v2', ...change };
    authorization.respond = () => answer(401, { error: 'invalid_client' });
    clock.advance(1_800_000);
    expect(await token.get()).toBe(first);
    await token.renewing();
    expect(await token.get()).toBe(first);
  },
);
