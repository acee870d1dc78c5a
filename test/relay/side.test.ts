/** Which side of a cut-over a message belongs to: by its sent time, and by a share of the ids or groups. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sideOf } from '../../functions/relay/side.ts';

const SINCE = Date.UTC(2027, 2, 6, 20);
const later = fc.integer({ min: SINCE, max: SINCE + 14 * 86_400_000 });
const share = fc.integer({ min: 0, max: 100 });

describe('The side of a message', () => {
  test.each([
    [-1, 100, 'old'],
    [0, 100, 'new'],
    [1, 100, 'new'],
    [-1, 0, 'old'],
    [1, 0, 'old'],
  ])('a message that was sent %i ms from since, with a share of %i, belongs to the %s side', (ms, per, side) => {
    expect(sideOf({ since: SINCE, share: per }, SINCE + ms, 'any')).toBe(side);
  });

  // The numbers are those of SHA-256, by `printf %s <key> | sha256sum`: other versions must find the same side.
  test.each([
    ['order-1', 65],
    ['order-2', 10],
    ['Überseekisten', 48],
  ])('the side of %j changes at a share of more than %i, in every version', (key, place) => {
    expect(sideOf({ since: SINCE, share: place }, SINCE, key)).toBe('old');
    expect(sideOf({ since: SINCE, share: place + 1 }, SINCE, key)).toBe('new');
  });

  test('a larger share takes messages from the old side to the new one, and none back', () => {
    fc.assert(
      fc.property(fc.string(), later, share, share, (key, sentAt, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        if (sideOf({ since: SINCE, share: less }, sentAt, key) === 'old') return;
        expect(sideOf({ since: SINCE, share: more }, sentAt, key)).toBe('new');
      }),
    );
  });

  test('the time within a side changes nothing, nor does a share before since', () => {
    fc.assert(
      fc.property(fc.string(), later, later, share, (key, one, other, per) => {
        const cutover = { since: SINCE, share: per };
        expect(sideOf(cutover, one, key)).toBe(sideOf(cutover, other, key));
        expect(sideOf(cutover, 2 * SINCE - one - 1, key)).toBe('old');
      }),
    );
  });

  test.each([1, 10, 50, 99])('about %i of a hundred ids are on the new side', (per) => {
    const ids = Array.from({ length: 20_000 }, (_, number) => `order-${number}`);
    const moved = ids.filter((id) => sideOf({ since: SINCE, share: per }, SINCE, id) === 'new').length;
    expect(Math.abs(moved / 200 - per)).toBeLessThan(1.5);
  });
});
