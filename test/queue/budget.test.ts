/** The bytes of payloads that are in flight at once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBudget } from '../../functions/queue/budget.ts';
import { turn } from '../doubles/time.ts';

/** Runs that go on until the test ends them. */
function held(totalBytes: number) {
  const budget = createBudget(totalBytes);
  const running = new Set<number>();
  const ends: (() => void)[] = [];
  const enter = (bytes: number, name: number) =>
    budget.spend(bytes, async () => {
      running.add(name);
      await new Promise<void>((resolve) => {
        ends[name] = resolve;
      });
      running.delete(name);
      return name;
    });
  return { enter, running, end: (name: number) => ends[name]?.() };
}

describe('A budget of 100 bytes', () => {
  test('a budget of 100 bytes is for as many as fit, in the order they came', async () => {
    const { enter, running, end } = held(100);
    const runs = [60, 40, 1].map(enter);
    await turn();
    expect([...running]).toEqual([0, 1]);
    end(0);
    await turn();
    expect([...running]).toEqual([1, 2]);
    end(1);
    end(2);
    expect(await Promise.all(runs)).toEqual([0, 1, 2]);
  });

  test('a budget of 100 bytes is kept for one that needs much of it: none that came later goes first', async () => {
    const { enter, running, end } = held(100);
    const runs = [60, 90, 1].map(enter);
    await turn();
    expect([...running]).toEqual([0]);
    end(0);
    await turn();
    expect([...running]).toEqual([1, 2]);
    end(1);
    end(2);
    await Promise.all(runs);
  });

  test('a budget of 100 bytes goes as a whole to one that is larger: alone, and not never', async () => {
    const { enter, running, end } = held(100);
    const runs = [1, 500, 1].map(enter);
    await turn();
    expect([...running]).toEqual([0]);
    end(0);
    await turn();
    expect([...running]).toEqual([1]);
    end(1);
    await turn();
    expect([...running]).toEqual([2]);
    end(2);
    await Promise.all(runs);
  });

  test('a budget of 100 bytes is free again after a run that throws', async () => {
    const budget = createBudget(100);
    await expect(budget.spend(100, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await budget.spend(100, async () => 'yes')).toBe('yes');
  });

  test('a budget of 100 bytes is never exceeded by two or more, and everyone gets in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 30 }), async (sizes) => {
        const budget = createBudget(100);
        const inside: number[] = [];
        const runs = sizes.map((bytes) =>
          budget.spend(bytes, async () => {
            inside.push(bytes);
            const used = inside.reduce((sum, one) => sum + one, 0);
            const others = inside.filter((one) => one > 0).length;
            expect(used <= 100 || others === 1).toBe(true);
            await turn();
            inside.splice(inside.indexOf(bytes), 1);
          }),
        );
        await Promise.all(runs);
      }),
      { numRuns: 30 },
    );
  });
});
