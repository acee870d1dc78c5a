/**
 * The SDK's client for Secrets Manager on the relay's own HTTP client: what goes out, what is tried again, and
 * the errors.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createSecretReader } from '../../functions/aws/secrets-manager.ts';
import { createHttpClient } from '../../functions/http/http.ts';
import { reply, startWire, type Wire, type WireRequest } from '../http/wire.ts';

/** What the service does with the first request, with the second, and so on; the last goes on. */
type Deed = 'reset' | 'half' | 'hang' | 'secret' | 'error';
const SECRET = { SecretString: '{"clientId":"x"}', VersionId: 'v1' };

function json(body: object, status = 200): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status} X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

async function startService(deeds: readonly Deed[], secret: object = SECRET): Promise<Wire & { heads: string[] }> {
  const heads: string[] = [];
  const wire = await startWire(({ socket, head }: WireRequest) => {
    const deed = deeds[Math.min(heads.length, deeds.length - 1)];
    heads.push(head);
    if (deed === 'reset') socket.resetAndDestroy();
    if (deed === 'half') socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Sec');
    if (deed === 'secret') socket.write(json(secret));
    if (deed === 'error') socket.write(json({ __type: 'InternalServiceError' }, 500));
  });
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', wire.url.origin);
  return { ...wire, heads };
}

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'synthetic');
  vi.stubEnv('AWS_SESSION_TOKEN', undefined);
  return () => vi.unstubAllEnvs();
});

const reader = () => createSecretReader(createHttpClient(), { AWS_REGION: 'eu-central-1' });

test('a read is one signed request, with one host and one length', async () => {
  const { heads, url } = await startService(['secret']);
  expect(await reader()('cpi/orders')).toEqual({ text: '{"clientId":"x"}', versionId: 'v1' });
  expect(heads).toHaveLength(1);
  const lines = (heads[0] ?? '').toLowerCase().split('\r\n');
  expect(lines[0]).toBe('post / http/1.1');
  expect(lines.filter((line) => line.startsWith('host:'))).toEqual([`host: ${url.host}`]);
  expect(lines.filter((line) => line.startsWith('content-length:'))).toEqual(['content-length: 25']);
  expect(lines).toContainEqual(
    expect.stringMatching(/^authorization: aws4-hmac-sha256 .*signedheaders=[\w;-]*host[\w;-]*x-amz-target/),
  );
});

test('a second read goes by the same connection', async () => {
  const service = await startService(['secret']);
  const read = reader();
  await read('cpi/orders');
  await read('cpi/invoices');
  expect([service.heads.length, service.made()]).toEqual([2, 1]);
});

test('the largest secret, written in the longest way, arrives whole', async () => {
  const text = '\u0001'.repeat(65_536);
  await startService(['secret'], { SecretString: text, VersionId: 'v1' });
  expect(await reader()('cpi/orders')).toEqual({ text, versionId: 'v1' });
});

describe('What the SDK tries again', () => {
  test.each<[string, Deed[]]>([
    ['a connection that is reset', ['reset', 'secret']],
    ['an answer that breaks off', ['half', 'secret']],
    ['an error of the service', ['error', 'error', 'secret']],
  ])('a reading of a secret is tried again by the SDK after %s', async (_, deeds) => {
    const { heads } = await startService(deeds);
    expect(await reader()('cpi/orders')).toMatchObject({ versionId: 'v1' });
    expect(heads).toHaveLength(deeds.length);
  });

  test.each<[string, Deed, string]>([
    ['for a connection that is reset', 'reset', 'no answer (ECONNRESET)'],
    ['for an error of the service', 'error', '(InternalServiceError)'],
  ])('a reading of a secret is tried three times %s, then reported', async (_, deed, words) => {
    const { heads } = await startService([deed]);
    await expect(reader()('cpi/orders')).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      message: expect.stringContaining(words),
    });
    expect(heads).toHaveLength(3);
  });
});

test('a service that refuses connections is named with its address', async () => {
  const wire = await startService(['secret']);
  wire.close();
  await expect(reader()('cpi/orders')).rejects.toMatchObject({
    code: 'SECRET_UNAVAILABLE',
    message: `secret "cpi/orders" could not be read now (POST ${wire.url.origin}/: no answer (ECONNREFUSED)); a later try may help`,
  });
});

test('a read whose time is over ends at once, and is not tried again', async () => {
  const service = await startService(['hang']);
  const abort = new AbortController();
  const reading = reader()('cpi/orders', abort.signal);
  await service.waitForOpen(1);
  await expect.poll(() => service.heads.length).toBe(1);
  abort.abort();
  await expect(reading).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  await service.waitForOpen(0);
  expect(service.heads).toHaveLength(1);
});

test('an answer that is not from Secrets Manager is not quoted', async () => {
  const wire = await startWire(({ socket }) => void socket.write(reply('hunter22 is no JSON')));
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', wire.url.origin);
  const error = await reader()('cpi/orders').catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  expect((error as Error).message).not.toContain('hunter22');
});
