/** What the answer to an OData batch means: it is always 202, and what became of each operation stands inside. */

import { describe, expect, test } from 'vitest';
import type { HttpAnswer, HttpRequest, Send } from '../../functions/http/http.ts';
import { adapterOf } from '../../functions/relay/adapter/adapters.ts';
import { answer } from '../doubles/answer.ts';
import { NOT_LISTENING } from '../doubles/call-listeners.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { tokenOf } from '../doubles/token.ts';
import { jsonError, multipart } from './odata-parts.ts';
import { attempt, destinationWith, message, outcome, reasonOf } from './sender-adapter.ts';

const odata = { adapter: 'odata' };
const http = (status: number, body = '', headers = '') =>
  `Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 ${status} Reason\r\nContent-Type: application/json\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}\r\n`;
const changeSet = (...parts: readonly string[]) =>
  `Content-Type: multipart/mixed; boundary=changeset_1\r\n\r\n${multipart('changeset_1', parts)}`;
const batch = (parts: readonly string[], status = 202): HttpAnswer =>
  answer(status, multipart('batch_1', parts), { 'content-type': 'multipart/mixed; boundary=batch_1' });
const batchOf = (...statuses: readonly number[]) => batch(statuses.map((status) => changeSet(http(status))));

const AGAIN = 'sent again they would run twice; the operator must decide';

describe('A batch is delivered', () => {
  test.each([
    ['of change sets that were carried out', batchOf(201, 204)],
    ['answered 200', batch([changeSet(http(201))], 200)],
    ['with what it read', batch([http(200, '{"d":[]}'), changeSet(http(204))])],
    ['of nothing', batch([])],
    ['that was answered without content', answer(202)],
    [
      'that was answered in JSON',
      answer(200, '{"responses":[{"status":500}]}', { 'content-type': 'application/json' }),
    ],
    ['whose content looks like a failure', batch([http(200, 'HTTP/1.1 500 x\r\n--batch_1x\r\n --batch_1\r\n')])],
    [
      'with a boundary in quotes, and line feeds alone',
      answer(202, multipart('a b', [changeSet(http(201))]).replaceAll('\r', ''), {
        'content-type': 'Multipart/Mixed; x=y; Boundary="a b"',
      }),
    ],
    [
      'with white space behind its boundaries, a preamble and an epilogue',
      answer(202, `pre\r\n${multipart('b', [http(204)]).replaceAll('--b\r\n', '--b \t\r\n')}\r\nepilogue`, {
        'content-type': 'multipart/mixed; boundary=b',
      }),
    ],
  ])('a batch is delivered %s', async (_, came) => {
    expect(await outcome(odata, came)).toMatchObject({ kind: 'delivered', executed: 'yes', status: came.status });
  });
});

describe('A batch of which all failed means what its statuses mean', () => {
  test.each<[readonly number[], string, string]>([
    [[400], 'rejected', 'unknown'],
    [[409, 422], 'rejected', 'unknown'],
    [[413], 'rejected', 'no'],
    [[404], 'rejected', 'unknown'],
    [[500], 'failed', 'unknown'],
    [[503, 429], 'failed', 'no'],
    [[503, 500], 'failed', 'unknown'],
    [[400, 500], 'failed', 'unknown'],
    [[403], 'blocked', 'no'],
    [[401], 'blocked', 'no'],
    [[403, 500, 400], 'blocked', 'unknown'],
    [[405], 'rejected', 'unknown'],
    [[405, 404, 400], 'rejected', 'unknown'],
    [[501], 'blocked', 'unknown'],
    [[302], 'blocked', 'unknown'],
    [[300], 'blocked', 'unknown'],
    [[100], 'failed', 'unknown'],
  ])(
    'a batch of which all failed means what its statuses mean: %j: %s, executed: %s',
    async (statuses, kind, executed) => {
      for (const resendPartialBatch of [false, true]) {
        const settings = { ...odata, resendPartialBatch };
        expect(await outcome(settings, batchOf(...statuses))).toMatchObject({ kind, executed, status: 202 });
      }
    },
  );

  test('a batch of which all failed is reported in the words of the answer that decides', async () => {
    const parts = [
      changeSet(http(400, jsonError('A1', 'No such plant'))),
      http(500, jsonError('B2', 'Backend is down')),
    ];
    const judged = await outcome(odata, batch(parts));
    expect(judged).toMatchObject({ detail: 'Backend is down' });
    expect(reasonOf(judged)).toBe(
      'the endpoint answered 202 with 2 of 2 operations of the batch failed, one with 500 and OData error B2: kept for a later try',
    );
  });

  test('a batch of which all failed asks for no new token: the call itself was let in', async () => {
    const { calls, outcome: judged } = await attempt({ ...odata, csrf: false }, [batchOf(401)]);
    expect([calls, judged.kind]).toEqual([1, 'blocked']);
  });
});

describe('A batch of which a part was carried out', () => {
  test.each([[[201, 500]], [[201, 503]], [[204, 201, 403]], [[200, 400]]])(
    'a batch of which a part was carried out, %j, goes to a person: a retry would run that part twice',
    async (statuses) => {
      const judged = await outcome(odata, batchOf(...statuses));
      expect(judged).toMatchObject({ kind: 'rejected', executed: 'unknown', status: 202 });
    },
  );

  test('a batch whose other part will never be taken is the sender’s to correct', async () => {
    expect(reasonOf(await outcome(odata, batchOf(200, 400)))).toBe(
      'the endpoint answered 202 with 1 of 2 operations of the batch failed, one with 400: operation 1 of 2 was carried out; the rest will never be taken, and the sender must correct it',
    );
  });

  test('a batch of which a part was carried out is reported with how many failed', async () => {
    const judged = await outcome(odata, batch([http(201), changeSet(http(500, jsonError('B2', 'Backend is down')))]));
    expect(reasonOf(judged)).toBe(
      `the endpoint answered 202 with 1 of 2 operations of the batch failed, one with 500 and OData error B2: operation 1 of 2 was carried out, and would run twice if the batch were sent again; the operator must decide`,
    );
    expect(judged).toMatchObject({ detail: 'Backend is down' });
  });

  test.each<[readonly number[], string]>([
    [[201, 500], 'failed'],
    [[201, 403], 'blocked'],
    [[201, 400], 'rejected'],
    [[201, 400, 503], 'failed'],
  ])(
    'a batch of which a part was carried out, %j, may be repeated where the settings say so: %s',
    async (statuses, kind) => {
      const judged = await outcome({ ...odata, resendPartialBatch: true }, batchOf(...statuses));
      expect(judged).toMatchObject({ kind, status: 202 });
    },
  );
});

describe('A batch answer that cannot be read to its end', () => {
  const whole = multipart('batch_1', [changeSet(http(201)), http(201)]);
  const broken: readonly (readonly [string, string, string?])[] = [
    ['is cut off', whole.slice(0, -12)],
    ['is cut off in a change set', whole.slice(0, 200)],
    ['has no boundary', whole, 'multipart/mixed'],
    ['has another boundary', whole, 'multipart/mixed; boundary=batch_2'],
    ['has a part that is no answer', multipart('batch_1', [http(201), 'Content-Type: text/plain\r\n\r\nhello'])],
    ['has a part that is nothing', multipart('batch_1', [http(201), ''])],
    ['has an answer without a status', multipart('batch_1', [http(201).replace('HTTP/1.1 201', 'HTTP/1.1 ok')])],
    ['has a status of four digits', multipart('batch_1', [http(201).replace('201', '2011')])],
    ['is nothing', ''],
    [
      'has change sets in change sets',
      multipart('batch_1', [
        changeSet(`Content-Type: multipart/mixed; boundary=c\r\n\r\n${multipart('c', [http(201)])}`),
      ]),
    ],
  ];
  const rows = broken.map(([what, body, type = 'multipart/mixed; boundary=batch_1']) => [what, body, type] as const);

  test.each(rows)(
    'a batch answer that cannot be read to its end, since it %s, goes to a person, or is repeated',
    async (_, body, type) => {
      const came = answer(202, body, { 'content-type': type });
      const judged = await outcome(odata, came);
      expect(judged).toMatchObject({ kind: 'rejected', executed: 'unknown', status: 202 });
      expect(reasonOf(judged)).toBe(
        `the endpoint answered 202 with a batch answer that cannot be read to its end: which operations were carried out is unknown, and ${AGAIN}`,
      );
      expect(await outcome({ ...odata, resendPartialBatch: true }, came)).toMatchObject({ kind: 'failed' });
    },
  );

  test('a batch answer of which only the beginning was kept goes to a person, or is repeated', async () => {
    expect(await outcome(odata, { ...batchOf(201), truncated: true })).toMatchObject({ kind: 'rejected' });
  });

  test('a batch answer that cannot be read to its end but shows a failure is judged by that', async () => {
    const judged = await outcome(odata, { ...batchOf(500), truncated: true });
    expect(judged).toMatchObject({ kind: 'rejected', executed: 'unknown' });
    expect(reasonOf(judged)).toContain('1 of 1 operations of the batch failed, one with 500');
  });
});

test('as much of a batch’s answer is kept as its caller or its reading needs, whichever is more', async () => {
  const requests: HttpRequest[] = [];
  const send: Send = async (request) => {
    requests.push(request);
    return answer(202);
  };
  for (const keepBytes of [1_000, 4_400_000]) {
    const adapter = adapterOf({ destination: destinationWith({ ...odata, csrf: false }), send, keepBytes });
    const batched = message('', { contentType: 'multipart/mixed; boundary=b' });
    await adapter.exchange(batched, tokenOf('t'), deadlineOf(), NOT_LISTENING);
  }
  expect(requests.map(({ keepBytes }) => keepBytes)).toEqual([4_194_304, 4_400_000]);
});

test('more is kept of a batch’s answer than of others', async () => {
  const plain = { ...odata, csrf: false };
  const kept = async (contentType: string) =>
    (await attempt(plain, [answer(202)], message('', { contentType }))).requests[0]?.keepBytes;
  expect(await kept('multipart/mixed; boundary=b')).toBe(4_194_304);
  expect(await kept('application/json')).toBeUndefined();
  const usual = { ...plain, contentType: 'multipart/mixed; boundary=b' };
  expect((await attempt(usual, [answer(202)])).requests[0]?.keepBytes).toBe(4_194_304);
});
