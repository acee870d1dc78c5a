import { expect, test } from 'vitest';
import { answer, granted } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { createAuthorization } from './authorization.ts';

test('a Retry-After holds for later messages, too: nobody asks the token endpoint before', async () => {
  const all = createAuthorization();
  all.respond = () => answer(429, '', { 'retry-after': '120' });
  const deadline = deadlineOf(5_000);
  await expect(all.token.get(deadline)).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE', retryAfterMs: 120_000 });
  const before = all.requests.length;
  all.clock.advance(119_999);
  await expect(all.token.get(deadline)).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
  expect(all.requests).toHaveLength(before);

  all.respond = () => granted('later');
  all.clock.advance(1);
  expect((await all.token.get(deadline)).accessToken).toBe('later');
});
