/** A refused token request is not remembered: every message that comes after it asks again, and reads the secret again. */
import { expect, test } from 'vitest';
import { setStage } from './stage.ts';

test.each([1, 10])(
  'ten messages whose client is refused make one token request and one more read of the secret (%i at a time)',
  async (concurrency) => {
    const stage = await setStage({
      plans: [{ name: 'orders', flow: { csrfProtected: false }, settings: { concurrency } }],
    });
    stage.send(stage.orders);
    await stage.poll();
    stage.orders.rotateSecret({ store: false });
    stage.authorizationServer.expireAllTokens();
    stage.sendMany(10);

    await stage.poll();

    expect(stage.tally()).toMatchObject({ tokenRequests: [200, 401], secretReads: { 'cpi/orders': 2 }, left: 10 });
  },
);
