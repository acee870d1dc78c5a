/** Which field was meant: near enough to be of help, and silent where it would only be a guess. */
import { expect, test } from 'vitest';
import { nearest } from '../../functions/settings/nearest.ts';

const KNOWN = [
  'secret',
  'url',
  'path',
  'method',
  'timeoutSeconds',
  'queue',
  'queueUrl',
  'batchSize',
  'fifo',
  'webhook',
];

test.each([
  ['a letter left out', 'methd', 'method'],
  ['a letter too many', 'methood', 'method'],
  ['another letter', 'mothod', 'method'],
  ['two letters swapped', 'mehtod', 'method'],
  ['two letters swapped in a short word', 'ulr', 'url'],
  ['another case', 'queueURL', 'queueUrl'],
  ['several slips in a long word', 'timoutSecond', 'timeoutSeconds'],
  ['the beginning', 'timeout', 'timeoutSeconds'],
  ['the beginning, in another case', 'batchs', 'batchSize'],
])('the nearest word to %s of %s is %s', (_, written, meant) => {
  expect(nearest(written, KNOWN)).toBe(meant);
});

test.each([
  ['a name that is like none', 'colour'],
  ['a beginning that is too short', 'tim'],
  ['a short word with two slips', 'pit'],
  ['nothing', ''],
  ['a name as long as its writer likes', 'x'.repeat(100_000)],
])('no word is near to %s', (_, written) => {
  expect(nearest(written, KNOWN)).toBeUndefined();
});
