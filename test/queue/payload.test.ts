/** Messages whose payload is in S3, and the pointers to it. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { ObjectAt, S3 } from '../../functions/aws/s3.ts';
import { RelayError } from '../../functions/error.ts';
import { createBudget } from '../../functions/queue/budget.ts';
import { createPointedSender } from '../../functions/queue/payload.ts';
import type { Attempt } from '../../functions/relay/relay.ts';
import { answer } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { FAILED } from './queued.ts';

const AT = { bucket: 'payloads', key: 'orders/4711' };
const FORTY_MB = 41_943_040;
const DELIVERED = { kind: 'delivered', executed: 'yes', status: 200, answer: answer(200) } as const;

interface Given {
  /** Of the object. */
  readonly bytes?: number;
  readonly deleteDelivered?: boolean;
  readonly buckets?: readonly string[];
  readonly bucket?: string;
  readonly outcome?: Attempt['outcome'];
  /** How often the adapter opens the payload, which it may keep for a second call. Default 1. */
  readonly opens?: number;
}

/** Sends one message; S3 writes down what it is asked for. */
async function send(given: Given = {}) {
  const { bytes = 5, deleteDelivered = false, buckets = ['payloads'], bucket = AT.bucket } = given;
  const { outcome = DELIVERED, opens = 1 } = given;
  const asked: string[] = [];
  const streams: unknown[] = [];
  const say = (what: string, at: ObjectAt) => asked.push(`${what} ${at.bucket}/${at.key}`);
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
  const options = { s3, buckets, budget: createBudget(1_000), deleteDelivered, telemetry: quietTelemetry() };
  const sendPointed = createPointedSender(options)(deadlineOf(1_000));
  const message = { id: '4711', headers: {}, pointer: { ...AT, bucket } };
  const attempt = await sendPointed(message, async ({ body }) => {
    for (let time = 0; time < opens; time += 1) streams.push(await body.open());
    return { outcome, calls: 2, resent: false, bytes: body.bytes };
  }).catch((error: unknown) => error);
  return { asked, streams, attempt };
}

describe('A message whose payload lies in S3', () => {
  test('a message in S3 is logged with the calls made, however often its payload was opened', async () => {
    expect((await send({ opens: 1 })).attempt).toMatchObject({ calls: 2 });
    expect((await send({ opens: 2 })).attempt).toMatchObject({ calls: 2 });
  });

  test('a message whose payload lies in S3 has not gone out where its payload could not be opened', async () => {
    expect((await send({ opens: 0, outcome: FAILED })).attempt).toMatchObject({ calls: 0 });
  });
});

describe('A pointer', () => {
  test('a pointer is opened when it is sent, and anew for each send', async () => {
    const { asked, streams, attempt } = await send({ opens: 2 });
    expect(attempt).toMatchObject({ bytes: 5 });
    expect(asked).toEqual(['size of payloads/orders/4711', 'open payloads/orders/4711', 'open payloads/orders/4711']);
    expect(streams[0]).not.toBe(streams[1]);
  });

  test.each([
    { bucket: 'another', buckets: ['payloads'] },
    { bucket: 'payloads', buckets: [] },
    { bucket: 'payload', buckets: ['payloads'] },
    { bucket: 'PAYLOADS', buckets: ['payloads'] },
  ])(
    'a pointer to bucket "$bucket" is not followed where $buckets are named: S3 is not even asked',
    async ({ bucket, buckets }) => {
      const { asked, attempt } = await send({ bucket, buckets });
      expect(attempt).toMatchObject({ code: 'MESSAGE_INVALID' });
      expect(asked).toEqual([]);
    },
  );

  test('a pointer to 40 MB is followed, to a byte more it is not', async () => {
    expect((await send({ bytes: FORTY_MB })).attempt).toMatchObject({ bytes: FORTY_MB });
    const { attempt } = await send({ bytes: FORTY_MB + 1 });
    expect(attempt).toBeInstanceOf(RelayError);
    expect(attempt).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect((attempt as RelayError).message).toContain('41943041 bytes');
  });

  test.each([
    { deleteDelivered: false, outcome: DELIVERED, isDeleted: false },
    { deleteDelivered: true, outcome: DELIVERED, isDeleted: true },
    { deleteDelivered: true, outcome: FAILED, isDeleted: false },
  ])(
    'a payload whose message is $outcome.kind is deleted if asked ($deleteDelivered): $isDeleted',
    async ({ isDeleted, ...given }) => {
      const { asked } = await send(given);
      expect(asked.includes('delete payloads/orders/4711')).toBe(isDeleted);
    },
  );
});
