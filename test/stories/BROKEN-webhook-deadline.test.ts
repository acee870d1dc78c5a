/** A call that the invocation's deadline ends is told as a broken connection: the caller gets 502 where 504 is promised. */
import { expect, test } from 'vitest';
import { setStage, WEBHOOK_USER } from './stage.ts';

test('a flow that does not answer in the time left is a gateway timeout to the caller', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', webhook: WEBHOOK_USER, flow: { csrfProtected: false } }],
    deploy: { webhookTimeoutSeconds: 3 },
  });
  stage.runtimeNode.server.fail({ fault: 'hang' });

  const response = await stage.post('/webhooks/orders');

  expect(response.status).toBe(504);
});
