/** The SQS client: what it sends, and an SQS that does not answer, where its own timeout ends a request. */
import { expect, onTestFinished, test } from 'vitest';
import { createSqs } from '../../functions/aws/sqs.ts';
import { startSqs } from '../../infra/local/aws/sqs/sqs.ts';
import { startServer } from '../../infra/local/server/server.ts';

function callAt(AWS_ENDPOINT_URL_SQS: string): void {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SQS,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'synthetic',
    AWS_SECRET_ACCESS_KEY: 'synthetic',
  });
}

test('a write that is not answered within 5 s goes out again, long before the invocation ends', async () => {
  const { url, server, sqs } = await startSqs();
  const queue = sqs.createQueue('orders-dlq');
  server.fail({ fault: 'hang' });
  callAt(url);
  const tooLate = AbortSignal.timeout(15_000);

  await createSqs().send(queue.url, { body: 'letter', attributes: {} }, tooLate);

  // The first was taken as well: SQS did it and did not say so.
  expect(queue.messages.map(({ body }) => body)).toEqual(['letter', 'letter']);
  await server.stop();
});

test.each([
  { waitMs: 1, seconds: 1 },
  { waitMs: 1_000, seconds: 1 },
  { waitMs: 1_001, seconds: 2 },
  { waitMs: 43_140_000, seconds: 43_140 },
  { waitMs: 0, seconds: 0 },
])('a wait of $waitMs ms is sent as $seconds s: never less than was meant', async ({ waitMs, seconds }) => {
  const inputs: unknown[] = [];
  const server = await startServer(({ body }) => {
    inputs.push(JSON.parse(body.toString()));
    return { status: 200, headers: { 'Content-Type': 'application/x-amz-json-1.0' }, body: '{}' };
  });
  onTestFinished(() => server.stop());
  callAt(server.url);
  const queueUrl = `${server.url}/123456789012/orders`;

  const refused = await createSqs().changeVisibility(
    queueUrl,
    [{ receiptHandle: 'r', waitMs }],
    AbortSignal.timeout(5_000),
  );

  expect(refused).toBe(0);
  expect(inputs).toEqual([
    { QueueUrl: queueUrl, Entries: [{ Id: '0', ReceiptHandle: 'r', VisibilityTimeout: seconds }] },
  ]);
});
