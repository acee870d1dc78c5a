/** Client secrets with every character that a convention might spoil, from Secrets Manager to the token endpoint. */
import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

test.each([
  ['neo', 'a+b%2Bc :$!|=d/e?f&g#h;"i\\j'],
  ['cf', 'a+b%2Bc :$!|=d/e?f&g#h;"i\\j'],
  ['neo', 'größer-ключ-鍵-🔑-öffnet'],
  ['cf', 'größer-ключ-鍵-🔑-öffnet'],
] as const)('a client on %s with the secret %s gets a token', async (environment, clientSecret) => {
  const clientId = 'sb-b1cf5d3c-7e24!b1234|it-rt-acme+dev%21!b56';
  const stage = await setStage({
    environment,
    plans: [{ name: 'orders', flow: { csrfProtected: false }, client: { clientId, clientSecret } }],
  });
  const ids = stage.sendMany(3);

  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.authorizationServer.tokenRequests).toMatchObject([{ clientId, status: 200 }]);
  expect(stage.leaks()).toEqual([]);
});
