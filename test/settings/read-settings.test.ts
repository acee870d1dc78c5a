/** `DESTINATIONS` at the cold start: where it comes from, what fails the start, and what is said when it does. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { problems, readSettings } from '../../functions/settings/settings.ts';
import { errorOf as invalid, orders } from './destination.ts';

const MUST = '; the operator must correct custom.destinations in serverless.yml and deploy again';
const OBJECT = 'expected a JSON object with at least one destination';
const FILE = 'expected a readable JSON file';

function startError(value: string | undefined, file?: string): RelayError {
  const noFile = () => {
    throw new Error('ENOENT: no such file hunter22');
  };
  try {
    readSettings({ DESTINATIONS: value }, file === undefined ? noFile : () => file);
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
  throw new Error('expected an error');
}

describe('A start fails', () => {
  test.each<[string, string | undefined, string, string?]>([
    ['DESTINATIONS is absent', undefined, 'expected a JSON object, found nothing'],
    ['it is empty', '', 'expected a JSON object, found nothing'],
    ['it is no JSON', '{"orders":{"secret":"hunter22"', 'expected JSON'],
    ['it is YAML', 'orders: { secret: hunter22 }', 'expected JSON'],
    ['it is null', 'null', OBJECT],
    ['it is a list', '[{"secret":"hunter22"}]', OBJECT],
    ['it is a text', '"hunter22"', OBJECT],
    ['it is a number', '4711', OBJECT],
    ['it has no destination', '{}', OBJECT],
    ['its file cannot be read', '@destinations.json', FILE],
    ['its file is no JSON', '@destinations.json', FILE, '{"orders":hunter22}'],
    ['its file has no destination', '@destinations.json', OBJECT, '{}'],
  ])('a start fails when %s, and says who must act without quoting it', (_, value, expected, file?) => {
    const error = startError(value, file);
    expect(error).toMatchObject({ code: 'SETTING_INVALID', message: `DESTINATIONS: ${expected}${MUST}` });
    // What is printed of an error is its stack, and the stack of its cause.
    expect(`${error.stack} ${String(error.cause)}`).not.toContain('hunter22');
  });

  test.each([[undefined], [null], [[]], ['hunter22'], [{}]])(
    'a start fails when it is packaged with %j for destinations',
    (input) => {
      expect(problems(input)).toEqual(['destinations: expected an object with at least one destination']);
    },
  );
});

describe('A file beside the bundle', () => {
  test('a file beside the bundle is read where DESTINATIONS names it', () => {
    const asked: string[] = [];
    const { destinations } = readSettings({ DESTINATIONS: '@destinations.json' }, (name) => {
      asked.push(name);
      return JSON.stringify({ orders });
    });
    expect(asked).toEqual(['./destinations.json']);
    expect(destinations.get('orders')).toMatchObject(orders);
  });

  test('a file beside the bundle is not looked for otherwise', () => {
    const unread = () => {
      throw new Error('read');
    };
    expect(readSettings({ DESTINATIONS: JSON.stringify({ orders }) }, unread).destinations.size).toBe(1);
  });
});

describe('The name of a destination', () => {
  test.each(['o', 'Orders', 'eu-orders-2', `a${'b'.repeat(62)}`])('the name of a destination may be %s', (name) => {
    expect(problems({ [name]: orders })).toEqual([]);
    expect(readSettings({ DESTINATIONS: JSON.stringify({ [name]: orders }) }).destinations.get(name)).toMatchObject({
      name,
    });
  });

  test.each(['', '1st', '-a', 'my orders', 'my_orders', 'ördern', 'a/b', 'a.b', '__proto__', `a${'b'.repeat(63)}`])(
    'the name of a destination may not be %j',
    (name) => {
      const written = `{${JSON.stringify(name)}:${JSON.stringify(orders)}}`;
      const expected = `${name}: expected a name of letters, digits and -, 63 at most, a letter first`;
      expect(problems(JSON.parse(written))).toEqual([expected]);
      const read = readSettings({ DESTINATIONS: written }).destinations.get(name);
      expect(invalid(read).message).toBe(`DESTINATIONS: ${expected}${MUST}`);
    },
  );
});

test('the name of a destination with a line break is told in one line', () => {
  const expected = 'a?b: expected a name of letters, digits and -, 63 at most, a letter first';
  expect(problems({ 'a\nb': orders })).toEqual([expected]);
  expect(problems({ 'a\u007fb': orders })).toEqual([expected]);
  expect(problems({ orders: { ...orders, 'a\r\nb': 1 } })).toEqual(['orders.a??b: unknown field']);
});

describe('Two destinations with one queue', () => {
  const arn = 'arn:aws:sqs:eu-central-1:123456789012:in';

  test.each([
    ['by its ARN', arn],
    ['by its name', 'in'],
  ])('two destinations with one queue %s are refused, the second of them at the start', (_, queue) => {
    const written = { one: { ...orders, queue }, two: { ...orders, queue }, three: orders };
    const line = 'two.queue: expected a queue of its own, one.queue is the same';
    expect(problems(written)).toEqual([line]);
    const { destinations } = readSettings({ DESTINATIONS: JSON.stringify(written) });
    expect(destinations.get('one')).toMatchObject({ queue });
    expect(invalid(destinations.get('two'))).toMatchObject({
      code: 'SETTING_INVALID',
      message: `DESTINATIONS: ${line}${MUST}`,
    });
    expect(destinations.get('three')).toMatchObject({ name: 'three' });
  });

  test.each([
    ['first by its ARN, then by its name', arn, 'in'],
    ['first by its name, then by its ARN', 'in', arn],
  ])('two destinations with one queue %s are refused', (_, one, two) => {
    expect(problems({ one: { ...orders, queue: one }, two: { ...orders, queue: two } })).toEqual([
      'two.queue: expected a queue of its own, one.queue is the same',
    ]);
  });

  test('two destinations with one queue are two queues where two ARNs differ in more than the name', () => {
    const other = arn.replace('123456789012', '999999999999');
    expect(problems({ one: { ...orders, queue: arn }, two: { ...orders, queue: other } })).toEqual([]);
  });

  test('two destinations with one queue are each named, where there are three', () => {
    const of = (queue: string) => ({ ...orders, queue });
    expect(problems({ a: of('in'), b: of('in'), c: of('other'), d: of('in') })).toEqual([
      'b.queue: expected a queue of its own, a.queue is the same',
      'd.queue: expected a queue of its own, a.queue is the same',
    ]);
  });

  test('two destinations with one queue are not found where one begins with the other’s name', () => {
    const written = {
      a: { ...orders, queue: 'in' },
      ab: { ...orders, queue: 'in' },
      'a-b': { ...orders, queue: 'in2' },
    };
    const { destinations } = readSettings({ DESTINATIONS: JSON.stringify(written) });
    expect([...destinations].filter(([, value]) => 'error' in value).map(([name]) => name)).toEqual(['ab']);
  });
});
