import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSimulatedTime } from '../../doubles/time.ts';
import { BUCKET, OLD_POINTER, POINTER, setPayloadStage } from '../payload-store.ts';

const FORTY_MB = 41_943_040;
const NO_SUCH_KEY = {
  status: 404,
  headers: { 'Content-Type': 'application/xml' },
  body: '<Error><Code>NoSuchKey</Code></Error>',
};
const letters = (stage: {
  orders: {
    deadLetterQueue: { messages: readonly { attributes: Readonly<Record<string, { stringValue?: string }>> }[] };
  };
}) =>
  stage.orders.deadLetterQueue.messages.map(({ attributes }) => JSON.parse(attributes.deadLetter?.stringValue ?? '{}'));

test('the pointers of the extended client arrive as their payloads, in all four spellings', async () => {
  const stage = await setPayloadStage();
  const ids: string[] = [];
  for (const pointer of [POINTER, OLD_POINTER]) {
    for (const attribute of ['ExtendedPayloadSize', 'SQSLargePayloadSize']) {
      const key = `orders/${ids.length}`;
      ids.push(stage.sendPointer(key, await stage.put(key), { pointer, attribute }));
    }
  }

  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids.sort());
  expect(stage.outcomes('outcome', 'bytes')).toEqual({ 'delivered 300000': 4 });
  for (const index of [0, 1, 2, 3]) expect(await stage.exists(`orders/${index}`), 'nobody asked to delete').toBe(true);
});

test('a payload is opened anew for each send, after a rejected token and a demand for a CSRF token', async () => {
  const stage = await setPayloadStage({ flow: { csrfProtected: true } });
  const opened = () => stage.asked.filter((asked) => asked === 'GET /payloads/big').length;
  const payload = await stage.put('big', randomBytes(2_000_000));

  const first = stage.sendPointer('big', payload);
  await stage.poll();
  expect(stage.attemptsOf(first)).toMatchObject([{ outcome: 'delivered', calls: 2 }]);
  expect(opened()).toBe(2);

  stage.authorizationServer.rotateSigningKey();
  const second = stage.sendPointer('big', payload);
  await stage.poll();

  const [attempt] = stage.attemptsOf(second);
  expect(attempt).toMatchObject({ outcome: 'delivered', token: 'new' });
  expect(opened()).toBe(2 + (attempt?.calls ?? 0));
  expect(attempt?.calls).toBeGreaterThanOrEqual(2);
  expect(stage.arrivals()).toEqual([first, second]);
});

test('a payload is opened again after a dead socket, too', async () => {
  const stage = await setPayloadStage();
  const payload = await stage.put('big');
  stage.sendPointer('big', payload);
  await stage.poll();

  stage.runtimeNode.server.fail({ fault: 'reset-before' });
  const id = stage.sendPointer('big', payload);
  await stage.poll();

  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'delivered', resent: true, executed: 'unknown' }]);
  expect(stage.arrivals().at(-1)).toBe(id);
});

describe('What cannot be had for good is rejected with its reason, and no call is made:', () => {
  test('an object that does not exist is rejected with its reason, and no call is made', async () => {
    const stage = await setPayloadStage();
    const id = stage.sendPointer('not/there', randomBytes(10));
    await stage.poll();
    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'rejected', executed: 'no', calls: 0 }]);
    expect(letters(stage)).toMatchObject([
      { outcome: 'rejected', reason: 'the object with the payload does not exist; the sender must send it again' },
    ]);
    const [letter] = stage.orders.deadLetterQueue.messages;
    expect(JSON.parse(letter?.body ?? '')).toEqual([POINTER, { s3BucketName: BUCKET, s3Key: 'not/there' }]);
    expect(letter?.attributes.ExtendedPayloadSize?.stringValue).toBe('10');
  });

  test('an object that vanishes between the question and the send is rejected with its reason', async () => {
    const stage = await setPayloadStage();
    const id = stage.sendPointer('there', await stage.put('there'));
    stage.s3Server.fail({ fault: NO_SUCH_KEY, when: ({ method }) => method === 'GET' });
    await stage.poll();
    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'rejected', executed: 'no' }]);
    expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 0, dead: 1 });
  });

  test('an object of 40 MB and a byte is rejected with its reason, and no call is made', async () => {
    const stage = await setPayloadStage();
    const id = stage.sendPointer('huge', await stage.put('huge', Buffer.alloc(FORTY_MB + 1)));
    await stage.poll();
    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'rejected', executed: 'no', calls: 0 }]);
    expect(letters(stage)).toMatchObject([{ reason: expect.stringContaining('41943041 bytes') }]);
    expect(stage.asked).toEqual(['HEAD /payloads/huge']);
  });

  test('an object in a bucket not among payloadBuckets is rejected: S3 is not even asked', async () => {
    const stage = await setPayloadStage({ settings: { payloadBuckets: ['other-bucket'] } });
    const id = stage.sendPointer('secret', await stage.put('secret'));
    await stage.poll();
    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'rejected', executed: 'no', calls: 0 }]);
    expect(letters(stage)).toMatchObject([{ reason: expect.stringContaining('not among payloadBuckets') }]);
    expect(stage.asked).toEqual([]);
  });
});

describe('What cannot be had now keeps the message:', () => {
  test.each([
    { what: 'S3 is down', fault: { status: 503, body: '' }, method: 'HEAD' },
    { what: 'S3 is down when the object is opened', fault: { status: 503, body: '' }, method: 'GET' },
    { what: 'S3 breaks the connection', fault: 'reset-before', method: 'HEAD' },
    { what: 'the object breaks off in the middle', fault: 'half-answer', method: 'GET' },
  ] as const)('a payload that cannot be had now keeps the message: $what', async ({ fault, method }) => {
    const stage = await setPayloadStage();
    const id = stage.sendPointer('big', await stage.put('big', randomBytes(2_000_000)));
    stage.s3Server.fail({ fault, times: 1_000, when: (request) => request.method === method });

    const [invocation] = await stage.poll();
    expect(invocation?.kept).toEqual([id]);
    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'failed' }]);
    expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 1, dead: 0 });

    stage.s3Server.heal();
    await stage.pollAgain();
    expect(stage.arrivals()).toEqual([id]);
  });
});

test.each(['HEAD', 'GET'])(
  'a message whose time was over while S3 was awaited (%s) has not been tried, and is not given up, however old',
  async (method) => {
    const clock = createSimulatedTime(Date.now() - 80 * 3_600_000);
    const staged = { sqsNow: clock.now, deploy: { queueTimeoutSeconds: 3 } };
    const stage = await setPayloadStage({}, staged);
    const id = stage.sendPointer('big', await stage.put('big'));
    stage.orders.queue.receive({ visibilitySeconds: 0 });
    clock.advance(80 * 3_600_000);
    stage.s3Server.fail({ fault: 'hang', times: 9, when: (request) => request.method === method });

    await stage.poll();

    expect(stage.attemptsOf(id)).toMatchObject([
      { outcome: 'failed', executed: 'no', calls: 0, reason: expect.stringContaining('the time of the invocation') },
    ]);
    expect(stage.tally()).toMatchObject({ left: 1, dead: 0 });
  },
);

describe('What S3 refuses waits for the operator, who is told what must be allowed, on which bucket:', () => {
  const FORBIDDEN =
    'S3 refuses the payload in bucket "payloads"; the operator must allow the function s3:GetObject and s3:ListBucket, and kms:Decrypt where the bucket has a key of its own';

  test.each([
    { what: 'an object that may not be looked at', method: 'HEAD' },
    { what: 'an object that may not be opened', method: 'GET' },
  ])(
    'a payload that S3 refuses waits for the operator: $what is blocked, and sent once it may be',
    async ({ method }) => {
      const stage = await setPayloadStage();
      const id = stage.sendPointer('big', await stage.put('big'));
      stage.s3Server.fail({ fault: { status: 403, body: '' }, when: (request) => request.method === method });

      const [invocation] = await stage.poll();
      expect(invocation?.kept).toEqual([id]);
      expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'blocked', executed: 'no', calls: 0, reason: FORBIDDEN }]);
      const [{ visibleAt } = { visibleAt: 0 }] = stage.orders.queue.messages;
      expect(visibleAt - (invocation?.at ?? 0)).toBeGreaterThanOrEqual(900_000);

      await stage.pollAgain();
      expect(stage.arrivals()).toEqual([id]);
    },
  );

  test('a missing object is rejected where the role may list the bucket, and holds up no FIFO group', async () => {
    const stage = await setPayloadStage({ fifo: true });
    const sendBoth = async (group: string) => [
      stage.sendPointer('not/there', randomBytes(10), { group }),
      stage.sendPointer(group, await stage.put(group), { group }),
    ];
    const [missing = '', next = ''] = await sendBoth('a');
    await stage.poll();
    expect(stage.attemptsOf(missing)).toMatchObject([{ outcome: 'rejected' }]);
    expect(stage.arrivals()).toEqual([next]);

    stage.s3?.denyListing(true);
    const [unknown = '', behind] = await sendBoth('b');
    const [invocation] = await stage.poll();
    expect(stage.attemptsOf(unknown)).toMatchObject([{ outcome: 'blocked', reason: FORBIDDEN }]);
    expect(invocation?.kept).toEqual([unknown, behind]);
  });
});

test('40 MB pass through, and never more than a quarter of the function’s memory at once', {
  timeout: 90_000,
}, async () => {
  const stage = await setPayloadStage({ settings: { timeoutSeconds: 30 } });
  const payload = await stage.put('big', Buffer.alloc(FORTY_MB, 'payload '));
  let most = 0;
  const opened = () => stage.asked.filter((asked) => asked.startsWith('GET')).length;
  stage.onAsked = () => {
    most = Math.max(most, opened() - stage.runtimeNode.messages.length);
  };
  const ids = [1, 2, 3, 4].map(() => stage.sendPointer('big', payload));

  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids.sort());
  // 512 MB of memory: three of 40 MB are within 128 MB, four are not.
  expect(most).toBe(3);
  expect(stage.outcomes('outcome', 'bytes')).toEqual({ [`delivered ${FORTY_MB}`]: 4 });
});

describe('A payload is deleted', () => {
  test('a payload is deleted after its delivery, where the destination says so, and not before', async () => {
    let status = 503;
    const flow = { csrfProtected: false, answer: () => ({ status }) };
    const stage = await setPayloadStage({ flow, settings: { deletePayloads: true } });
    const failing = stage.sendPointer('once', await stage.put('once'));
    await stage.poll();
    expect(stage.attemptsOf(failing)).toMatchObject([{ outcome: 'failed' }]);
    expect(await stage.exists('once')).toBe(true);

    status = 200;
    await stage.pollAgain();
    expect(stage.arrivals()).toEqual([failing]);
    expect(await stage.exists('once')).toBe(false);
  });

  test('a payload is deleted never when the message is rejected: the letter points to it', async () => {
    const flow = { csrfProtected: false, answer: () => ({ status: 422 }) };
    const stage = await setPayloadStage({ flow, settings: { deletePayloads: true } });
    stage.sendPointer('bad', await stage.put('bad'));
    await stage.poll();
    expect(stage.tally()).toMatchObject({ left: 0, dead: 1 });
    expect(await stage.exists('bad')).toBe(true);
  });

  test('a payload that cannot be deleted was delivered all the same, and the log says so', async () => {
    const stage = await setPayloadStage({ settings: { deletePayloads: true } });
    const id = stage.sendPointer('stays', await stage.put('stays'));
    stage.s3Server.fail({ fault: { status: 403, body: '' }, times: 9, when: ({ method }) => method === 'DELETE' });
    const [invocation] = await stage.poll();
    expect(invocation?.deleted).toEqual([id]);
    expect(stage.told('payload.not-deleted')).toMatchObject([{ messageId: id }]);
  });
});

test('a rejected body of exactly 1 MiB goes to S3 with its reason, and comes back whole', async () => {
  let status = 422;
  const flow = { csrfProtected: false, answer: () => ({ status }) };
  const stage = await setPayloadStage({ flow, settings: { payloadBucket: BUCKET, payloadBuckets: [] } });
  const id = stage.send(stage.orders, { body: randomBytes(786_432).toString('base64') });

  await stage.poll();

  const [letter] = stage.orders.deadLetterQueue.messages;
  expect(letters(stage)).toMatchObject([{ messageId: id, status: 422 }]);
  const [, { s3Key }] = JSON.parse(letter?.body ?? '') as [string, { s3Key: string }];
  expect(await stage.exists(s3Key)).toBe(true);

  status = 200;
  // As SQS's own redrive does it: the letter as it is, whose reason still names the message.
  stage.orders.queue.send({ body: letter?.body ?? '', attributes: letter?.attributes ?? {} });
  await stage.poll();
  expect(stage.arrivals()).toEqual([id]);
});

test('a FIFO message whose payload cannot be had now keeps its group in order', async () => {
  const stage = await setPayloadStage({ fifo: true });
  const ids: string[] = [];
  for (const key of ['a1', 'a2']) ids.push(stage.sendPointer(key, await stage.put(key), { group: 'a' }));
  stage.s3Server.fail({ fault: { status: 503, body: '' }, times: 3, when: ({ path }) => path.endsWith('a1') });

  const [invocation] = await stage.poll();

  expect(invocation?.kept).toEqual(ids);
  expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 2 });
});
