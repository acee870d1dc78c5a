/** What S3 says of an object, as the relay takes it: without a length it cannot be sent. */
import { afterEach, expect, test, vi } from 'vitest';
import { createS3 } from '../../functions/aws/s3.ts';
import { startWire } from '../http/wire.ts';

const OBJECT = { bucket: 'payloads', key: 'orders/1' };
const { signal } = new AbortController();

afterEach(() => void vi.unstubAllEnvs());

async function startS3(headers: string) {
  const wire = await startWire(({ socket }) => void socket.write(`HTTP/1.1 200 OK\r\nETag: "1"\r\n${headers}\r\n`));
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'synthetic');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'synthetic');
  // The SDK itself reads this one off the process.
  vi.stubEnv('AWS_ENDPOINT_URL_S3', wire.url.origin);
  return createS3({ ...process.env, AWS_REGION: 'eu-central-1' });
}

test.each([0, 300_000])('an object of %i bytes has that length', async (bytes) => {
  const s3 = await startS3(`Content-Length: ${bytes}\r\n`);
  expect(await s3.describe(OBJECT, signal)).toEqual({ bytes, etag: '"1"' });
});

test('an object without a length cannot be had now: any number would put its bytes into the next request', async () => {
  const s3 = await startS3('');
  await expect(s3.describe(OBJECT, signal)).rejects.toMatchObject({
    code: 'PAYLOAD_UNAVAILABLE',
    executed: 'no',
    message: 'the object with the payload cannot be had now (S3 did not say its length); a later try may help',
  });
});
