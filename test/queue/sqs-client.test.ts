/** The SQS client against an SQS that does not answer: its own timeout ends a request, and the SDK tries again. */
import { expect, test } from 'vitest';
import { createSqs } from '../../functions/aws/sqs.ts';
import { startSqs } from '../../infra/local/aws/sqs/sqs.ts';

test('a write that is not answered within 5 s goes out again, long before the invocation ends', async () => {
  const { url, server, sqs } = await startSqs();
  const queue = sqs.createQueue('orders-dlq');
  server.fail({ fault: 'hang' });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SQS: url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'synthetic',
    AWS_SECRET_ACCESS_KEY: 'synthetic',
  });
  const tooLate = AbortSignal.timeout(15_000);

  await createSqs().send(queue.url, { body: 'letter', attributes: {} }, tooLate);

  // The first was taken as well: SQS did it and did not say so.
  expect(queue.messages.map(({ body }) => body)).toEqual(['letter', 'letter']);
  await server.stop();
});
