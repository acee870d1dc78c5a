/** What holds of every mistake in the settings, whatever it is: one line, no value, and the neighbours stay valid. */
import { describe, expect, test } from 'vitest';
import { problems, readSettings } from '../../functions/settings/settings.ts';
import { basic, errorOf, orders } from './destination.ts';
import { valuesIn } from './values.ts';

/** What is wrong, the destination `orders` as it was written, the one line. */
export type Mistake = readonly [wrong: string, written: unknown, line: string];

export function whole(unit: string, minimum: number, maximum: number): string {
  return `expected a whole number of ${unit} from ${minimum} to ${maximum}`;
}

/** Of a value in quotes. */
export const TEXT = ', found a text';

export function describeMistakes(where: string, mistakes: readonly Mistake[]): void {
  describe(`A mistake in the settings of ${where}`, () => {
    test.each(mistakes)('%s is one line that names the path and what was expected', (_, input, line) => {
      expect(problems({ orders: input })).toEqual([line]);
      expect(line).not.toMatch(/[\r\n]/);
    });

    test.each(mistakes)('%s is told without any value of the settings, since a value may be a key', (_, input) => {
      const { destinations } = readSettings({ DESTINATIONS: JSON.stringify({ orders: input }) });
      const told = [...problems({ orders: input }), errorOf(destinations.get('orders')).message].join('\n');
      for (const value of valuesIn(input)) expect(told).not.toMatch(value);
    });

    test.each(mistakes)('%s blocks its own destination and leaves the others valid', (_, input, line) => {
      const written = { first: orders, orders: input, last: { ...orders, webhook: basic } };
      const { destinations } = readSettings({ DESTINATIONS: JSON.stringify(written) });
      expect([...destinations.keys()]).toEqual(['first', 'orders', 'last']);
      expect(destinations.get('first')).toMatchObject({ name: 'first', url: orders.url });
      expect(destinations.get('last')).toMatchObject({ name: 'last', webhook: { verify: [{ type: 'basic' }] } });
      expect(errorOf(destinations.get('orders'))).toMatchObject({
        code: 'SETTING_INVALID',
        executed: 'no',
        message: `DESTINATIONS: ${line}; the operator must correct custom.destinations in serverless.yml and deploy again`,
      });
    });
  });
}
