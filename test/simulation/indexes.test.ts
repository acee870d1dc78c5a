import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexesIn, listed } from './indexes.ts';

test.each([
  [[], 'none'],
  [[4], '4'],
  [[0, 1, 2, 3], '0-3'],
  [[0, 2, 3, 9], '0,2-3,9'],
])('indexes %j are listed as %s', (indexes, text) => {
  expect(listed(indexes)).toBe(text);
});

test('listed indexes are read as what they were', () => {
  const ascending = fc.uniqueArray(fc.nat(200)).map((indexes) => indexes.sort((a, b) => a - b));
  fc.assert(
    fc.property(ascending, (indexes) => {
      expect(indexesIn(listed(indexes), 201)).toEqual(indexes);
    }),
  );
});

test('where no indexes are given, they are all there are', () => {
  expect(indexesIn(undefined, 3)).toEqual([0, 1, 2]);
});
