/** HEAD is refused by an endpoint without CSRF protection, and the GET that follows runs the flow, with nothing in it. */
import { expect, test } from 'vitest';
import { setStage } from './stage.ts';

test('csrf: true at an endpoint without protection runs the flow for no message but the one that was sent', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false }, settings: { csrf: true } }],
  });
  stage.send(stage.orders);

  await stage.poll();

  expect(stage.runtimeNode.messages.filter(({ method }) => method !== 'POST')).toEqual([]);
});
