/** A webhook with `verify: iam`: the gateway checks the signature, and the function lets in whom the gateway names. */
import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Stage, setStage, WEBHOOK_USER } from '../stage.ts';

const BODY = '{"order":4711}';

/** Signature Version 4, for a request without a query. */
function signed({ iamUser }: Stage, url: URL, date = new Date()): Record<string, string> {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const stamp = date.toISOString().replace(/[-:]|\.\d+/g, '');
  const day = stamp.slice(0, 8);
  const scope = `${day}/eu-central-1/execute-api/aws4_request`;
  const canonical = `POST\n${url.pathname}\n\nhost:${url.host}\nx-amz-date:${stamp}\n\nhost;x-amz-date\n${hash(BODY)}`;
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${iamUser.secretAccessKey}`);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash(canonical)}`).toString('hex');
  const credential = `${iamUser.accessKeyId}/${scope}`;
  return {
    'X-Amz-Date': stamp,
    Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  };
}

test('a signed request is queued; the gateway refuses the rest, and nobody is let in another way', async () => {
  const webhook = { ...WEBHOOK_USER, verify: 'iam', mode: 'queued' } as const;
  const stage = await setStage({ plans: [{ name: 'orders', webhook }] });
  const url = new URL(`${stage.deployed.httpApi.url}/webhooks/orders`);
  const post = (options: Parameters<Stage['post']>[1]) =>
    stage.post('/webhooks/orders', { user: null, body: BODY, ...options });

  expect((await post({ headers: signed(stage, url) })).status).toBe(202);
  expect(stage.orders.queue.size).toBe(1);
  expect(stage.tally().secretReads).toEqual({});

  expect((await post({})).status).toBe(403);
  expect((await post({ user: WEBHOOK_USER })).status).toBe(403);
  expect((await stage.post('/webhooks/nobody', { user: null })).status, 'so that a 403 tells: it is there').toBe(401);
  expect((await post({ method: 'PUT', headers: signed(stage, url) })).status).toBe(401);
  expect(stage.orders.queue.size).toBe(1);
});
