/** The bytes of payloads that are in flight at once, and the pointers behind which they lie. */

import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ObjectAt, S3 } from '../../functions/aws/s3.ts';
import { RelayError } from '../../functions/error.ts';
import { createPayloads, createRoom, type Payloads, pointedSender } from '../../functions/queue/payload.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { turn } from '../doubles/time.ts';
import { FAILED } from './queued.ts';

/** Runs that go on until they are told to end. */
function held(totalBytes: number) {
  const room = createRoom(totalBytes);
  const running = new Set<number>();
  const ends: (() => void)[] = [];
  const enter = (bytes: number, name: number) =>
    room.with(bytes, async () => {
      running.add(name);
      await new Promise<void>((resolve) => {
        ends[name] = resolve;
      });
      running.delete(name);
      return name;
    });
  return { enter, running, end: (name: number) => ends[name]?.() };
}

describe('Room for 100 bytes', () => {
  test('is for as many as fit, in the order they came', async () => {
    const { enter, running, end } = held(100);
    const runs = [60, 40, 1].map(enter);
    await turn();
    expect([...running]).toEqual([0, 1]);
    end(0);
    await turn();
    expect([...running]).toEqual([1, 2]);
    end(1);
    end(2);
    expect(await Promise.all(runs)).toEqual([0, 1, 2]);
  });

  test('is kept for one that needs much of it: none that came later goes before', async () => {
    const { enter, running, end } = held(100);
    const runs = [60, 90, 1].map(enter);
    await turn();
    expect([...running]).toEqual([0]);
    end(0);
    await turn();
    expect([...running]).toEqual([1, 2]);
    end(1);
    end(2);
    await Promise.all(runs);
  });

  test('is all for one that is larger: alone, and not never', async () => {
    const { enter, running, end } = held(100);
    const runs = [1, 500, 1].map(enter);
    await turn();
    expect([...running]).toEqual([0]);
    end(0);
    await turn();
    expect([...running]).toEqual([1]);
    end(1);
    await turn();
    expect([...running]).toEqual([2]);
    end(2);
    await Promise.all(runs);
  });

  test('is free again after a run that throws', async () => {
    const room = createRoom(100);
    await expect(room.with(100, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await room.with(100, async () => 'yes')).toBe('yes');
  });

  test('is never overdrawn by two or more, and everyone gets in, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 30 }), async (sizes) => {
        const room = createRoom(100);
        const inside: number[] = [];
        const runs = sizes.map((bytes) =>
          room.with(bytes, async () => {
            inside.push(bytes);
            const used = inside.reduce((sum, one) => sum + one, 0);
            const others = inside.filter((one) => one > 0).length;
            expect(used <= 100 || others === 1).toBe(true);
            await turn();
            inside.splice(inside.indexOf(bytes), 1);
          }),
        );
        await Promise.all(runs);
      }),
      { numRuns: 30 },
    );
  });
});

describe('A message whose payload lies in S3', () => {
  const pointed = { id: '4711', headers: {}, pointer: { bucket: 'payloads', key: 'orders/4711' } };
  const deadline = deadlineOf(1_000);

  /** @param opens how often the adapter opens the payload, which it may keep for a second call */
  async function callsTold(opens: number): Promise<number> {
    const payloads: Payloads = {
      resolve: async () => ({ bytes: 1, open: () => Readable.from(['x']) }),
      withRoom: async (_bytes, _deadline, run) => run(),
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

  test('is told with the calls that were made, however often its payload was opened for them', async () => {
    expect(await callsTold(1)).toBe(2);
    expect(await callsTold(2)).toBe(2);
  });

  test('has not gone out where its payload could not be opened', async () => {
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
    return { asked, payloads: createPayloads({ s3, buckets, room: createRoom(1_000), deleteDelivered }) };
  }
  const AT = { bucket: 'payloads', key: 'orders/4711' };

  test('is opened when it is sent, and anew for each send', async () => {
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
    'to bucket "$bucket" is not followed where $buckets are named: S3 is not even asked',
    async ({ bucket, buckets }) => {
      const { payloads: some, asked } = payloads({ buckets });
      await expect(some.resolve({ ...AT, bucket }, DEADLINE)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
      expect(asked).toEqual([]);
    },
  );

  test('to 40 MB is followed, to a byte more it is not', async () => {
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
  ])('is deleted when asked ($deleteDelivered), and not otherwise', async ({ deleteDelivered, asked: wanted }) => {
    const { payloads: some, asked } = payloads({ deleteDelivered });
    await some.deleteIfAsked(AT, DEADLINE);
    expect(asked).toEqual(wanted);
  });
});
