/** Multipart bodies taken apart: which parts there are, what they answer, and what of a broken one is still known. */
import { describe, expect, test } from 'vitest';
import { answersIn, operationsAsked, rootOf } from '../../functions/relay/adapter/multipart.ts';

const TYPE = 'multipart/mixed; boundary=b';
const OPERATION = 'Content-Type: application/http';
const http = (text = 'x') => `${OPERATION}\r\n\r\n${text}\r\n`;
const set = (...parts: readonly string[]) =>
  `Content-Type: multipart/mixed; boundary=c\r\n\r\n${parts.map((part) => `--c\r\n${part}`).join('')}--c--\r\n`;
const batch = (...parts: readonly string[]) => `${parts.map((part) => `--b\r\n${part}`).join('')}--b--\r\n`;
const asked = (body: string, type: string | undefined = TYPE) => operationsAsked(Buffer.from(body), type);

function answered(body: string, counts?: readonly number[], type: string | null = TYPE) {
  const headers = type === null ? {} : { 'content-type': type };
  const { operations, isWhole } = answersIn({ headers, body: Buffer.from(body), truncated: false }, counts);
  return { statuses: operations.map((operation) => operation?.status), isWhole };
}

describe('Of a request is counted', () => {
  test.each<[string, string, readonly number[]]>([
    ['nothing of an empty one', batch(), []],
    ['each operation', batch(http(), http()), [1, 1]],
    ['each of a change set', batch(set(http(), http()), http(), set()), [2, 1, 0]],
    ['no part of another kind, in a change set neither', batch('\r\nx\r\n', set(http(), 'A: b\r\n\r\nx\r\n')), [0, 1]],
    ['no part that is empty', batch('', http()), [0, 1]],
    ['the last one, which nobody closes', `--b\r\n${http()}--b\r\n${OPERATION}`, [1, 1]],
    ['nothing behind the end', `${batch(http())}--b\r\n${http()}--b--`, [1]],
    ['nothing before the first', `${http()}${batch(http())}`, [1]],
    ['a delimiter alone at the very end', `--b\r\n${http()}--b`, [1, 0]],
    ['a delimiter with white space behind it', batch(http()).replace('--b\r\n', '--b \t\r\n'), [1]],
    ['no delimiter within a line', batch(http('x--b\r\n--bb\r\n--b x\r\n--b-\r\n--b-x\r\n--b--x')), [1]],
    [
      'a header after others, with white space about it',
      batch(`X: y\r\n \tcontent-type\t:  application/http \r\n\r\n`),
      [1],
    ],
    ['a header whose value has colons', batch('X-A: b:c:d\r\nContent-Type: application/http;a=b:c\r\n\r\nx\r\n'), [1]],
    ['no line that only looks like a header', batch(`:${OPERATION}\r\n\r\nx\r\n`), [0]],
    ['no header behind the empty line', batch(`X: y\r\n\r\n${OPERATION}\r\n`), [0]],
  ])('the operations of a batch request are counted %s', (_, body, counts) => {
    expect(asked(body)).toEqual(counts);
  });

  test.each<[string, string, string | undefined]>([
    ['which has no delimiter', 'x', TYPE],
    ['whose delimiter is another', '--undefined\r\n--undefined--', TYPE],
    ['whose type names no boundary', '--undefined\r\n--undefined--', 'multipart/mixed'],
    ['whose boundary is empty', '--\r\n----', 'multipart/mixed; boundary='],
    ['whose type names something like a boundary', batch(http()), 'multipart/mixed; xboundary=b'],
  ])('the operations of a batch request %s are not counted: their number is not known', (_, body, type) => {
    expect(asked(body, type)).toBeUndefined();
  });

  test.each([
    ['', (part: string) => batch(part)],
    [' in a change set', (part: string) => batch(set(part))],
  ])('the operations of a batch request with more than 65,536 of them%s are not counted', (where, inBatch) => {
    const delimiter = where === '' ? '--b\n' : '--c\n';
    const part = `${OPERATION}\n\nx\n`;
    const count = (operations: number) => asked(inBatch(`${part}${`${delimiter}${part}`.repeat(operations - 1)}`));
    expect(count(65_536)?.reduce((sum, one) => sum + one)).toBe(65_536);
    expect(count(65_537)).toBeUndefined();
  });

  test('the operations of a batch request without a content type are not counted', () => {
    expect(operationsAsked(Buffer.from('--undefined\r\n--undefined--'), undefined)).toBeUndefined();
  });

  test.each(['multipart/mixed;boundary=b', 'a/b;  BOUNDARY  =  b', 'a/b; x=y; boundary="b"; z', 'a/b; boundary=b;z'])(
    'the operations of a batch request are counted by the boundary in %s',
    (type) => {
      expect(asked(batch(http()), type)).toEqual([1]);
    },
  );
});

describe('Of an answer is read', () => {
  const ok = (status: number | string) => http(`HTTP/1.1 ${status} Said\r\n\r\n`);

  test.each<[string, string, readonly number[], readonly (number | undefined)[], boolean]>([
    ['each answer', batch(ok(200), set(ok(201), ok(204))), [1, 2], [200, 201, 204], true],
    ['for a whole change set one failure', batch(ok(300)), [2], [300, 300], true],
    ['for a whole change set not one success', batch(ok(299)), [2], [299, undefined], true],
    ['for an empty change set one failure', batch(ok(400)), [0], [400], true],
    ['for an empty change set nothing', batch(set()), [0], [], true],
    ['what is missing of a change set', batch(set(ok(200)), ok(200)), [3, 1], [200, undefined, undefined, 200], true],
    ['what is missing at the end', batch(ok(200)), [1, 2, 0], [200, undefined, undefined], true],
    ['what is there beyond', batch(ok(200), ok(500)), [1], [200, 500], true],
    ['a part that is none', batch('', ok(200)), [2, 1], [undefined, undefined, 200], false],
    ['a part of another type', batch(`A: b\r\n\r\nHTTP/1.1 200 x\r\n`), [1], [undefined], false],
    ['in a change set a part of another type', batch(set('\r\nHTTP/1.1 200 x\r\n')), [1], [undefined], false],
    [
      'a change set that nobody closes',
      batch(set(ok(200), ok(200)).replace('--c--', '')),
      [2],
      [200, undefined],
      false,
    ],
    ['an answer with its status alone', batch(http('HTTP/2 204')), [1], [204], true],
    ['an answer with white space before it', batch(http(' \tHTTP/1.1 204')), [1], [204], true],
    ['an answer with a line before it', batch(http('x HTTP/1.1 204')), [1], [undefined], false],
    ['an answer with an empty line before it', batch(http('\r\nHTTP/1.1 204')), [1], [undefined], false],
    [
      'a status that is none',
      batch(ok('2000'), ok('600'), ok('20')),
      [1, 1, 1],
      [undefined, undefined, undefined],
      false,
    ],
  ])('the answer to a batch is read %s', (_, body, counts, statuses, isWhole) => {
    expect(answered(body, counts)).toEqual({ statuses, isWhole });
  });

  test('the answer to a batch is read to its end where nobody knows how many operations there were', () => {
    expect(answered(batch(ok(200), ok(500)))).toEqual({ statuses: [200, 500], isWhole: true });
  });

  test.each([null, 'multipart/mixed', 'multipart/related; boundary=b', 'text/plain; boundary=b'])(
    'the answer to a batch of type %s is not read',
    (type) => {
      expect(answered(batch(ok(200)), [2], type)).toEqual({ statuses: [undefined, undefined], isWhole: false });
      expect(answered('--undefined\r\n--undefined--', undefined, type)).toEqual({ statuses: [], isWhole: false });
    },
  );

  test('the answer to a batch is read with its headers and its body, to the byte', () => {
    const text = 'HTTP/1.1 400 Bad: Request\r\nX-A: b: c \r\nNone\r\n\r\n body \r\n ';
    for (const end of ['\r\n', '\n']) {
      const body = Buffer.from(`--b${end}${OPERATION}${end}${end}${text}${end}--b--`);
      const { operations } = answersIn({ headers: { 'content-type': TYPE }, body, truncated: false });
      expect(operations[0]?.headers).toMatchObject({ 'x-a': 'b: c' });
      expect(operations[0]?.body.toString()).toBe(' body \r\n ');
    }
  });

  test('no more than 65,536 parts of an answer are read: millions of them would delay other messages', () => {
    expect(answered(`${'--b\n'.repeat(65_538)}--b--`).statuses).toHaveLength(65_536);
  });
});

describe('The root of a multipart body', () => {
  const root = (body: string, parameters = '') => {
    const type = `${TYPE}${parameters}`;
    const { headers, body: content } = rootOf({ headers: { 'content-type': type }, body: Buffer.from(body) });
    return [headers['content-type'], content.toString()];
  };

  test.each<[string, string, [string | undefined, string]]>([
    ['is its first part', batch('Content-Type: a\r\n\r\none\r\n', 'Content-Type: b\r\n\r\ntwo\r\n'), ['a', 'one']],
    ['is what is there of one that is cut off', '--b\r\nContent-Type: a\r\n\r\none', ['a', 'one']],
    ['is nothing where there is no part', 'one', [undefined, '']],
    ['is nothing where there are none', '--b--', [undefined, '']],
  ])('the root of a multipart body %s', (_, body, expected) => {
    expect(root(body)).toEqual(expected);
  });

  test('the root of a multipart body is the part that "start" names, of one that is cut off too', () => {
    const parts = ['Content-ID: <one>\r\n\r\n1\r\n', 'Content-Type: b\r\nContent-ID: <two> \r\n\r\n2\r\n'];
    for (const body of [batch(...parts), batch(...parts).replace('\r\n--b--\r\n', '')]) {
      expect(root(body, ' ; START = "<two>"')).toEqual(['b', '2']);
      expect(root(body, ';start=two;x=y')).toEqual(['b', '2']);
      expect(root(body, ';start="<none>"')).toEqual([undefined, '1']);
      expect(root(body, ';start-info="<two>"')).toEqual([undefined, '1']);
      expect(root(body, ';start=""')).toEqual([undefined, '1']);
    }
  });

  test('the root of a multipart body is not looked for behind the 64th part', () => {
    const body = (before: number) => batch(...Array(before).fill('\r\n1\r\n'), 'Content-ID: <a>\r\n\r\n2\r\n');
    expect(root(body(63), ';start="<a>"')).toEqual([undefined, '2']);
    expect(root(body(64), ';start="<a>"')).toEqual([undefined, '1']);
  });

  test.each([
    ['base64', 'QUFB', 'AAA'],
    ['quoted-printable', '=41=', 'A='],
  ])(
    'the root of a multipart body is decoded from %s up to 256 KiB, as more would delay other messages',
    (encoding, coded, plain) => {
      const encoded = (times: number) => `Content-Transfer-Encoding: ${encoding}\r\n\r\n${coded.repeat(times)}\r\n`;
      expect(root(batch(encoded(65_536)))[1] === plain.repeat(65_536)).toBe(true);
      expect(root(batch(encoded(65_537)))[1] === coded.repeat(65_537)).toBe(true);
    },
  );

  test('the root of a multipart body has no more than 16 KiB of headers: more would delay others', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `h${index}:\r\n`).join('');
    const { headers } = rootOf({ headers: { 'content-type': TYPE }, body: Buffer.from(batch(`${lines}\r\nx`)) });
    expect(Object.keys(headers).length).toBeLessThan(16_384 / 5);
    expect(root(batch(`X: ${'y'.repeat(16_300)}\r\nContent-Type: a\r\n\r\none\r\n`))).toEqual(['a', 'one']);
    expect(root(batch(`X: ${'y'.repeat(16_384)}\r\nContent-Type: a\r\n\r\none\r\n`))[0]).toBeUndefined();
  });
});
