/** Messages whose payload is in S3, and the pointers to it. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { ObjectAt, S3 } from '../../functions/aws/s3.ts';
import { RelayError } from '../../functions/error.ts';
import { createByteBudget } from '../../functions/queue/byte-budget.ts';
import { createPayloads, type Payloads, pointedSender } from '../../functions/queue/payload.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { FAILED } from './queued.ts';

describe('A message whose payload lies in S3', () => {
  const pointed = { id: '4711', headers: {}, pointer: { bucket: 'payloads', key: 'orders/4711' } };
  const deadline = deadlineOf(1_000);

  /** @param opens how often the adapter opens the payload, which it may keep for a second call */
  async function callsTold(opens: number): Promise<number> {
    const payloads: Payloads = {
      resolve: async () => ({ bytes: 1, open: () => Readable.from(['x']) }),
      withinBudget: async (_bytes, _deadline, run) => run(),
      deleteIfAsked: async () => undefined,
    };
    const attempt = await pointedSender(
      payloads,
      deadline,
      quietTelemetry(),
    )(pointed, async ({ body }) => {
      for (let time = 0; time < opens; time += 1) await body.open();
      return { outcome: FAILED, calls: 2, resent: false };
    });
    return attempt.calls;
  }

  test('a message in S3 is logged with the calls made, however often its payload was opened', async () => {
    expect(await callsTold(1)).toBe(2);
    expect(await callsTold(2)).toBe(2);
  });

  test('a message whose payload lies in S3 has not gone out where its payload could not be opened', async () => {
    expect(await callsTold(0)).toBe(0);
  });
});

describe('A pointer', () => {
  const FORTY_MB = 41_943_040;
  const DEADLINE = deadlineOf(1_000);

  function payloads({ bytes = 5, deleteDelivered = false, buckets = ['payloads'] } = {}) {
    const asked: string[] = [];
    const say = (what: string, { bucket, key }: ObjectAt) => asked.push(`${what} ${bucket}/${key}`);
    const s3: S3 = {
      describe: async (at) => {
        say('size of', at);
        return { bytes, etag: '"1"' };
      },
      open: async (at) => {
        say('open', at);
        return Readable.from([Buffer.from('hello')]);
      },
      put: async (at) => {
        say('put', at);
      },
      delete: async (at) => {
        say('delete', at);
      },
    };
    return { asked, payloads: createPayloads({ s3, buckets, budget: createByteBudget(1_000), deleteDelivered }) };
  }
  const AT = { bucket: 'payloads', key: 'orders/4711' };

  test('a pointer is opened when it is sent, and anew for each send', async () => {
    const { payloads: some, asked } = payloads();
    const body = await some.resolve(AT, DEADLINE);
    expect(body.bytes).toBe(5);
    expect(asked).toEqual(['size of payloads/orders/4711']);
    expect(await body.open()).not.toBe(await body.open());
    expect(asked.slice(1)).toEqual(['open payloads/orders/4711', 'open payloads/orders/4711']);
  });

  test.each([
    { bucket: 'another', buckets: ['payloads'] },
    { bucket: 'payloads', buckets: [] },
    { bucket: 'payload', buckets: ['payloads'] },
    { bucket: 'PAYLOADS', buckets: ['payloads'] },
  ])(
    'a pointer to bucket "$bucket" is not followed where $buckets are named: S3 is not even asked',
    async ({ bucket, buckets }) => {
      const { payloads: some, asked } = payloads({ buckets });
      await expect(some.resolve({ ...AT, bucket }, DEADLINE)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
      expect(asked).toEqual([]);
    },
  );

  test('a pointer to 40 MB is followed, to a byte more it is not', async () => {
    expect(await payloads({ bytes: FORTY_MB }).payloads.resolve(AT, DEADLINE)).toMatchObject({ bytes: FORTY_MB });
    const error = await payloads({ bytes: FORTY_MB + 1 })
      .payloads.resolve(AT, DEADLINE)
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(RelayError);
    expect(error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(error.message).toContain('41943041 bytes');
  });

  test.each([
    { deleteDelivered: false, asked: [] },
    { deleteDelivered: true, asked: ['delete payloads/orders/4711'] },
  ])(
    'a pointer is deleted when asked ($deleteDelivered), and not otherwise',
    async ({ deleteDelivered, asked: wanted }) => {
      const { payloads: some, asked } = payloads({ deleteDelivered });
      await some.deleteIfAsked(AT, DEADLINE);
      expect(asked).toEqual(wanted);
    },
  );
});
