/** A batch and its answer, operation by operation: one that leaves an operation open is not delivered, and says so. */

import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http/http.ts';
import type { Message } from '../../functions/message/message.ts';
import { answer } from '../doubles/answer.ts';
import { multipart } from './odata-parts.ts';
import { attempt, message, outcome, reasonOf } from './sender-adapter.ts';

const odata = { adapter: 'odata' };
const BATCH = 'multipart/mixed; boundary=batch_1';
const UNKNOWN = 'which operations were carried out is unknown';
const THEY = 'sent again they would run twice; the operator must decide';
const ALL = 'would run twice if the batch were sent again; the operator must decide';

const changeSet = (parts: readonly string[]) =>
  `Content-Type: multipart/mixed; boundary=set_1\r\n\r\n${multipart('set_1', parts)}`;
const http = (text: string) => `Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n${text}\r\n`;
const GET = http('GET Orders HTTP/1.1\r\n\r\n');
const POST = http('POST Orders HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
const said = (status: number) => http(`HTTP/1.1 ${status} Said\r\nContent-Length: 0\r\n\r\n`);

/** A number is one operation, a list a change set: of the request how many, of the answer what each said. */
type Parts = readonly (number | readonly number[])[];

function asked(parts: Parts, fields: Partial<Message> = {}): Message {
  const written = parts.map((part) => (typeof part === 'number' ? GET : changeSet(part.map(() => POST))));
  return message(multipart('batch_1', written), { contentType: BATCH, ...fields });
}

function answered(parts: Parts): HttpAnswer {
  const written = parts.map((part) => (typeof part === 'number' ? said(part) : changeSet(part.map(said))));
  return answer(202, multipart('batch_1', written), { 'content-type': BATCH });
}

const cutOff = (came: HttpAnswer, bytes: number): HttpAnswer => ({ ...came, body: came.body.subarray(0, -bytes) });
const FIVE: Parts = [1, [1, 1], [1], 1];

describe('A batch is delivered whose operations are all answered', () => {
  test.each<[string, Parts, Parts]>([
    ['one by one', [1, 1], [200, 200]],
    ['in change sets', [[1], [1, 1]], [[201], [201, 204]]],
    ['both', FIVE, [200, [201, 204], [201], 200]],
    ['with more answers than it asked for', [1], [200, [201, 201]]],
    ['a change set of one with an answer that stands alone', [[1]], [201]],
    ['of which there are none', [], []],
    ['of which there are none, but for an empty change set', [[]], [[]]],
  ])('a batch is delivered whose operations are all answered %s', async (_, request, came) => {
    expect(await outcome(odata, answered(came), asked(request))).toMatchObject({ kind: 'delivered' });
  });

  test('a batch is delivered whose operations are all answered, even if more stands behind the answers', async () => {
    const came = { ...answered([200, 200]), truncated: true };
    expect(await outcome(odata, came, asked([1, 1]))).toMatchObject({ kind: 'delivered' });
  });

  test.each(['', '{}'])('a batch without operations is delivered, whatever it is answered with: %j', async (body) => {
    expect(await outcome(odata, answer(202, body), asked([]))).toMatchObject({ kind: 'delivered' });
  });
});

describe('A 2xx that leaves operations of a batch open is not taken for a delivery', () => {
  const rows: readonly (readonly [string, Parts, HttpAnswer, string])[] = [
    [
      'answers fewer parts',
      [1, 1, 1, 1, 1],
      answered([200, 200, 200]),
      `answers to 3 of 5 operations of the batch: operations 1 to 3 of 5 were carried out; ${UNKNOWN} beyond that`,
    ],
    [
      'answers fewer of a change set',
      FIVE,
      answered([200, [201], [201], 200]),
      `answers to 4 of 5 operations of the batch: operations 1 to 2 and 4 to 5 of 5 were carried out; ${UNKNOWN} beyond that`,
    ],
    [
      'answers a change set with one success that stands alone',
      [1, [1, 1]],
      answered([200, 201]),
      `answers to 2 of 3 operations of the batch: operations 1 to 2 of 3 were carried out; ${UNKNOWN} beyond that`,
    ],
    ['answers none', FIVE, answered([]), `answers to 0 of 5 operations of the batch: ${UNKNOWN}`],
    [
      'answers one',
      [1, 1],
      answered([200]),
      `answers to 1 of 2 operations of the batch: operation 1 of 2 was carried out; ${UNKNOWN} beyond that`,
    ],
    ['is nothing', FIVE, answer(202), `something that is no batch answer: ${UNKNOWN}`],
    ['is nothing at all', FIVE, answer(204), `something that is no batch answer: ${UNKNOWN}`],
    [
      'is a page',
      FIVE,
      answer(200, '<html>Sign in</html>', { 'content-type': 'text/html' }),
      `something that is no batch answer: ${UNKNOWN}`,
    ],
    [
      'is a multipart of another kind',
      [1],
      answer(200, multipart('batch_1', [said(200)]), { 'content-type': 'multipart/related; boundary=batch_1' }),
      `something that is no batch answer: ${UNKNOWN}`,
    ],
    [
      'is cut off',
      [1, 1],
      cutOff(answered([200, 200]), 20),
      `a batch answer that cannot be read to its end: operation 1 of 2 was carried out; ${UNKNOWN} beyond that`,
    ],
    [
      'is longer than what was kept of it',
      [1, 1],
      { ...answered([200]), truncated: true },
      `a batch answer that cannot be read to its end: operation 1 of 2 was carried out; ${UNKNOWN} beyond that`,
    ],
    [
      'has a part that cannot be read',
      [1, [1], 1],
      answer(202, multipart('batch_1', [said(200), changeSet(['']), said(200)]), { 'content-type': BATCH }),
      `a batch answer that cannot be read to its end: operations 1 and 3 of 3 were carried out; ${UNKNOWN} beyond that`,
    ],
  ];

  test.each(rows)(
    'a 2xx that leaves operations of a batch open is no delivery, since it %s: a person decides, or a retry',
    async (_, request, came, words) => {
      const judged = await outcome(odata, came, asked(request));
      expect(judged).toMatchObject({ kind: 'rejected', executed: 'unknown', status: came.status });
      expect(reasonOf(judged)).toBe(`the endpoint answered ${came.status} with ${words}, and ${THEY}`);
      const again = await outcome({ ...odata, resendPartialBatch: true }, came, asked(request));
      expect(again).toMatchObject({ kind: 'failed', executed: 'unknown' });
      expect(reasonOf(again)).toBe(
        `the endpoint answered ${came.status} with ${words}; all of it is kept for a later try`,
      );
    },
  );
});

test('a batch of more operations than are counted is not delivered by the answers that are read', async () => {
  const many = (part: string) => `${`--b\n${part}\n`.repeat(65_536)}--b\n`;
  const operation = 'Content-Type:application/http\n\n';
  const came = `${many(`${operation}HTTP/1 204`)}${operation}HTTP/1 500\n--b--`;
  const request = message(`${many(`${operation}GET A HTTP/1.1`)}${operation}GET A HTTP/1.1\n--b--`, {
    contentType: 'multipart/mixed; boundary=b',
  });
  const judged = await outcome(odata, answer(202, came, { 'content-type': 'multipart/mixed; boundary=b' }), request);
  expect(judged).toMatchObject({ kind: 'rejected', executed: 'unknown' });
  expect(reasonOf(judged)).toContain(`a batch answer that cannot be read to its end: ${UNKNOWN}`);
});

describe('Of a batch that was carried out in part it is told which part', () => {
  test.each<[string, Parts, Parts, string]>([
    ['the first', [1, 1], [200, 500], `operation 1 of 2 was carried out, and ${ALL}`],
    ['the last', [1, 1], [500, 200], `operation 2 of 2 was carried out, and ${ALL}`],
    [
      'the first three',
      [1, 1, 1, 1, 1],
      [200, 201, 200, 500, 500],
      `operations 1 to 3 of 5 were carried out, and ${ALL}`,
    ],
    ['all but one', FIVE, [200, [201, 201], 500, 200], `operations 1 to 3 and 5 of 5 were carried out, and ${ALL}`],
    ['all but a change set', FIVE, [200, 500, [201], 200], `operations 1 and 4 to 5 of 5 were carried out, and ${ALL}`],
    [
      'some, one is answered and others are not',
      [1, 1, 1, 1],
      [200, 500],
      `operation 1 of 4 was carried out; ${UNKNOWN} beyond that, and ${THEY}`,
    ],
    ['none that is known', [1, 1], [500], `${UNKNOWN}, and ${THEY}`],
    ['none that is known, where the rest is the sender’s fault', [1, 1], [400], `${UNKNOWN}, and ${THEY}`],
  ])('a batch that was carried out in part is reported by its parts: %s', async (_, request, came, words) => {
    const judged = await outcome(odata, answered(came), asked(request));
    expect(judged).toMatchObject({ kind: 'rejected', executed: 'unknown' });
    expect(reasonOf(judged)).toContain(`: ${words}`);
  });

  test('a batch that was carried out in part is reported in few words, however many parts there are', async () => {
    const every = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 200 : 500));
    const judged = await outcome(odata, answered(every), asked(every));
    expect(reasonOf(judged)).toBe(
      `the endpoint answered 202 with 50 of 100 operations of the batch failed, one with 500: operations 1, 3, 5, 7, 9, 11 and 44 more of 100 were carried out, and ${ALL}`,
    );
  });

  test.each<[Parts, string, string]>([
    [[200, 500], 'failed', 'all of it is kept for a later try'],
    [[200, 403], 'blocked', 'the operator must look into it, then all of it is sent again'],
    [[200, 400], 'rejected', 'the rest will never be taken, and the sender must correct it'],
  ])(
    'a batch that was carried out in part is reported by its parts where batches are repeated, too: %j',
    async (came, kind, words) => {
      const judged = await outcome({ ...odata, resendPartialBatch: true }, answered(came), asked([1, 1]));
      expect(judged).toMatchObject({ kind, executed: 'unknown' });
      expect(reasonOf(judged)).toContain(`: operation 1 of 2 was carried out; ${words}`);
    },
  );
});

test('a Retry-After in the answer to a batch is followed, whatever its status', async () => {
  const came = answered([503]);
  const asking = { ...came, headers: { ...came.headers, 'retry-after': '7' } };
  expect(await outcome(odata, asking, asked([1]))).toMatchObject({ kind: 'failed', status: 202, retryAfterMs: 7_000 });
  expect(await outcome(odata, came, asked([1]))).not.toHaveProperty('retryAfterMs');
});

test('a batch with open and with refused operations goes to a person, even where batches are repeated', async () => {
  const judged = await outcome({ ...odata, resendPartialBatch: true }, answered([200, 400]), asked([1, 1, 1]));
  expect(judged).toMatchObject({ kind: 'rejected', executed: 'unknown' });
  expect(reasonOf(judged)).toContain(`: operation 1 of 3 was carried out; ${UNKNOWN} beyond that, and ${THEY}`);
});

describe('A change set that fails as a whole has one answer', () => {
  test('a change set that fails as a whole has one answer, which counts for all that was in it', async () => {
    const judged = await outcome(odata, answered([200, 400]), asked([1, [1, 1, 1]]));
    expect(reasonOf(judged)).toContain('3 of 4 operations of the batch failed, one with 400: operation 1 of 4 was');
  });

  test.each<[number, string, string]>([
    [400, 'rejected', 'unknown'],
    [403, 'blocked', 'no'],
    [500, 'failed', 'unknown'],
    [503, 'failed', 'no'],
  ])('a change set that fails alone, with %i, means what that status means', async (status, kind, executed) => {
    const judged = await outcome(odata, answered([status]), asked([[1, 1, 1]]));
    expect(judged).toMatchObject({ kind, executed });
    expect(reasonOf(judged)).toContain(`3 of 3 operations of the batch failed, one with ${status}: `);
  });
});

describe('The operations of a batch are counted', () => {
  const open = (payload: string | Buffer, contentType = BATCH) =>
    outcome(odata, answer(202), message(payload, { contentType }));
  const countOf = (judged: Awaited<ReturnType<typeof open>>) => (judged.kind === 'delivered' ? 0 : 'some');

  test.each<[string, string]>([
    ['with line feeds alone', multipart('batch_1', [GET, changeSet([POST])]).replaceAll('\r', '')],
    ['whose last part nobody closes', `--batch_1\r\n${GET}`],
    ['whose change set nobody closes', multipart('batch_1', [changeSet([POST]).replace('--set_1--', '')])],
    ['with header names in any case', multipart('batch_1', [GET.replace('Content-Type', 'content-TYPE')])],
    ['with a parameter of the type', multipart('batch_1', [GET.replace('application/http', 'Application/HTTP; v=1')])],
  ])('the operations of a batch are counted %s', async (_, payload) => {
    expect(countOf(await open(payload))).toBe('some');
    const whole = answered(payload.includes('set_1') && payload.includes('GET') ? [200, [201]] : [200]);
    expect(await outcome(odata, whole, message(payload, { contentType: BATCH }))).toMatchObject({ kind: 'delivered' });
  });

  test('the operations of a batch are not counted by their words: what an entity holds is no operation', async () => {
    const payload = multipart('batch_1', [`${GET}\r\n--batch_2\r\nContent-Type: application/http\r\n\r\nGET x`]);
    expect(await outcome(odata, answered([200]), message(payload, { contentType: BATCH }))).toMatchObject({
      kind: 'delivered',
    });
  });

  test('the operations of a batch are not counted where a part is something else', async () => {
    const payload = multipart('batch_1', ['Content-Type: text/plain\r\n\r\nhello']);
    expect(countOf(await open(payload))).toBe(0);
  });

  test.each([
    ['that has no boundary', multipart('batch_1', [GET]), 'multipart/mixed'],
    ['that has another boundary', multipart('batch_2', [GET]), BATCH],
    ['that is compressed', 'no batch to be seen', BATCH],
    ['that is empty', '', BATCH],
  ])(
    'the operations of a batch are unknown in one %s: what is no batch answer is no delivery',
    async (_, payload, contentType) => {
      expect(await open(payload, contentType)).toMatchObject({ kind: 'rejected', executed: 'unknown' });
      expect(await outcome(odata, answered([201]), message(payload, { contentType }))).toMatchObject({
        kind: 'delivered',
      });
    },
  );

  test('the operations of a batch without a content type are counted with that of the settings', async () => {
    const { body } = asked([1, 1]);
    const settings = { ...odata, contentType: BATCH };
    expect(await outcome(settings, answered([200]), message('', { body }))).toMatchObject({ kind: 'rejected' });
    expect(await outcome(settings, answered([200, 200]), message('', { body }))).toMatchObject({ kind: 'delivered' });
  });

  test('the operations of a batch are counted without opening the payload once more', async () => {
    const bytes = Buffer.from(multipart('batch_1', [GET, GET]));
    let opened = 0;
    const body = {
      bytes: bytes.byteLength,
      open: () => {
        opened += 1;
        return bytes;
      },
    };
    const { outcome: judged, requests } = await attempt(
      { ...odata, csrf: false },
      [answer(401), answered([200])],
      message('', { body, contentType: BATCH }),
    );
    expect([judged.kind, opened]).toEqual(['rejected', 2]);
    expect(requests.map((request) => request.body?.bytes)).toEqual([bytes.byteLength, bytes.byteLength]);
  });

  test('the operations of a batch are not counted in a message that is none', async () => {
    const plain = message('{}', { contentType: 'application/json' });
    expect(await outcome(odata, answer(204), plain)).toMatchObject({ kind: 'delivered' });
  });
});
