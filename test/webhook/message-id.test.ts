/** The id that a webhook's message bears: the sender's own, from where it stands, in the order of the table. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { HttpEvent } from '../../functions/webhook/event.ts';
import { messageIdOf } from '../../functions/webhook/message-id.ts';

const NEW = 'new-id';
const eventWith = { method: 'POST', path: '/', isPathEncoded: false, isBodyText: true, multiValue: false };

function idOf(
  headers: Record<string, string>,
  body: string | object = '',
  setting?: string,
  ofVerification?: string,
): string {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const event: HttpEvent = { ...eventWith, headers, body: bytes };
  return messageIdOf(event, [setting, ofVerification], () => NEW);
}

/** All places at once, the first of them first. */
const everywhere = {
  'x-my-id': 'by-setting',
  'x-its-id': 'by-verification',
  'webhook-id': 'by-webhook-id',
  'ce-id': 'by-ce-id',
  'idempotency-key': 'by-idempotency-key',
  'x-request-id': 'by-x-request-id',
};

describe('The order', () => {
  const names = Object.keys(everywhere);

  test.each(names.map((name, index) => [name, names.slice(0, index)] as const))(
    'the message id from %s counts where none of %j is',
    (name, before) => {
      const headers = Object.fromEntries(Object.entries(everywhere).filter(([other]) => !before.includes(other)));
      expect(idOf(headers, '', 'x-my-id', 'x-its-id')).toBe(everywhere[name as keyof typeof everywhere]);
    },
  );

  test('the id of a CloudEvent in structured mode counts as ce-id does', () => {
    const contentType = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
    const { 'webhook-id': webhookId, 'ce-id': ceId, ...after } = everywhere;
    const event = { specversion: '1.0', id: 'by-cloud-event', source: '/', type: 't' };
    expect(idOf({ ...contentType, ...after }, event)).toBe('by-cloud-event');
    expect(idOf({ ...contentType, ...after, 'ce-id': ceId }, event)).toBe(ceId);
    expect(idOf({ ...contentType, ...after, 'webhook-id': webhookId }, event)).toBe(webhookId);
  });

  test.each(['application/json', 'application/cloudevents-batch+json', undefined])(
    'a body of type %s is not searched for an id',
    (type) => {
      expect(idOf(type === undefined ? {} : { 'content-type': type }, { id: 'in-body' })).toBe(NEW);
    },
  );

  test('the verification may name the id by a pointer; where nothing is there, the next place counts', () => {
    expect(idOf({ 'webhook-id': 'w' }, { id: 'evt_1' }, undefined, '/id')).toBe('evt_1');
    expect(idOf({ 'x-my-id': 'mine' }, { id: 'evt_1' }, 'x-my-id', '/id')).toBe('mine');
    expect(idOf({ 'webhook-id': 'w' }, { other: 'evt_1' }, 'x-my-id', '/id')).toBe('w');
  });

  test('a message without any id gets a new one each time', () => {
    const event: HttpEvent = { ...eventWith, headers: {}, body: undefined };
    const ids = [messageIdOf(event, []), messageIdOf(event, [undefined])];
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('an empty id does not count', () => {
    expect(idOf({ 'webhook-id': '', 'ce-id': '', 'idempotency-key': '""', 'x-request-id': 'r' })).toBe('r');
    expect(idOf({ 'x-my-id': '', 'webhook-id': 'w' }, '', 'x-my-id')).toBe('w');
  });
});

describe('A JSON pointer finds', () => {
  const body = {
    id: 'top',
    data: {
      'a/b': 'slash',
      'm~n': 'tilde',
      '': 'empty',
      list: [{ id: 'first' }],
      number: 4711,
      zero: 0,
      no: false,
      nil: null,
    },
  };

  test.each([
    ['/id', 'top'],
    ['/data/a~1b', 'slash'],
    ['/data/m~0n', 'tilde'],
    ['/data/', 'empty'],
    ['/data/list/0/id', 'first'],
    ['/data/number', '4711'],
    ['/data/zero', '0'],
  ])('a JSON pointer finds %s', (pointer, id) => {
    expect(idOf({ 'webhook-id': 'other' }, body, pointer)).toBe(id);
  });

  test.each([
    '/none',
    '/data',
    '/data/no',
    '/data/nil',
    '/data/list',
    '/data/list/1/id',
    '/id/x',
    '/constructor',
    '/__proto__',
    '/data/a/b',
    '/data/list/00',
  ])('a JSON pointer finds nothing at %s, and the next place counts', (pointer) => {
    expect(idOf({ 'webhook-id': 'other' }, body, pointer)).toBe('other');
  });

  test.each([
    '12345678901234567890',
    '12345678901234567891',
    '1.0',
    '1.10',
    '-0',
    '1e3',
    '1E400',
    '0.1000000000000000055511151231257827',
  ])('a JSON pointer finds a number as it is written, whatever a double would make of it: %s', (number) => {
    expect(idOf({}, `{"id":${number}}`, '/id')).toBe(number);
    expect(idOf({}, `{"data":[{"id": ${number} }]}`, '/data/0/id')).toBe(number);
  });

  test('a JSON pointer finds two ids in two numbers that are one double', () => {
    expect(idOf({}, '{"id":12345678901234567890}', '/id')).not.toBe(idOf({}, '{"id":12345678901234567891}', '/id'));
  });

  test('a JSON pointer finds two ids in Latin-1 that differ in a letter which is no UTF-8', () => {
    const [one, other] = ['Müller', 'Möller'].map((id) =>
      idOf({}, Buffer.from(JSON.stringify({ id }), 'latin1'), '/id'),
    );
    expect(one).not.toBe(other);
    expect(one, 'the same as if it were UTF-8').toBe(idOf({}, { id: 'Müller' }, '/id'));
  });

  test.each(['\\ud800', '\\ud801', '\\udc00x'])(
    'a JSON pointer finds no id in half a character, of which all are one in UTF-8: %s',
    (half) => {
      expect(idOf({}, `{"id":"${half}"}`, '/id')).toBe(NEW);
    },
  );

  test.each(['', ' ', '          '])(
    'a JSON pointer finds no id in blanks, which two messages may have alike: %j',
    (id) => {
      expect(idOf({}, { id }, '/id')).toBe(NEW);
    },
  );

  test('a JSON pointer finds an id behind a byte order mark, the same at each try', () => {
    expect(idOf({}, '\uFEFF{"id":"evt_1"}', '/id')).toBe('evt_1');
  });

  test('a JSON pointer finds a text in a body of many numbers about as fast as JSON is read', () => {
    const body = `{"id":"evt_1","rest":[${'1,'.repeat(250_000)}1]}`;
    const fastestMs = (run: () => unknown) =>
      Math.min(
        ...[1, 2, 3].map(() => {
          const startedAt = performance.now();
          run();
          return performance.now() - startedAt;
        }),
      );
    const readMs = fastestMs(() => JSON.parse(body));
    expect(fastestMs(() => idOf({}, body, '/id')) / readMs).toBeLessThan(15);
  });

  test.each(['', 'no json', '{"id":', '"text"', 'null', '<id>1</id>'])(
    'a JSON pointer finds nothing in the body %j',
    (text) => {
      expect(idOf({ 'webhook-id': 'other' }, text, '/id')).toBe('other');
    },
  );
});

describe('An id is', () => {
  test.each(['a', '!~', 'urn:uuid:0-1', 'x'.repeat(128), '{"a":1}', '"quoted'])(
    'an id is kept as it came: %j',
    (id) => {
      expect(idOf({ 'webhook-id': id })).toBe(id);
    },
  );

  test.each(['a b', ' a', 'jörg', 'x'.repeat(129), 'a\nb', '\u007f', '\u{1F511}'])(
    'an id is hashed where it fits into no header: %j',
    (id) => {
      const hash = createHash('sha256').update(id, 'utf8').digest('hex');
      expect(idOf({ 'webhook-id': id })).toBe(hash);
      expect(idOf({}, { id }, '/id')).toBe(hash);
    },
  );

  test.each([
    ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    ['8e03978e', '8e03978e'],
    ['"open', '"open'],
  ])('an id from the Idempotency-Key %s has no quotes', (key, id) => {
    expect(idOf({ 'idempotency-key': key })).toBe(id);
  });

  test('an id is the same at each of the sender’s tries', () => {
    expect(idOf({ 'webhook-id': 'a b' })).toBe(idOf({ 'webhook-id': 'a b' }));
  });
});
