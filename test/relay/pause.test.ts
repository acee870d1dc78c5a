/** What one attempt leaves behind for the next: tokens that are not sent again, and pauses that begin and end. */

import { describe, expect, test } from 'vitest';
import { answer } from '../doubles/answer.ts';
import { createSimulatedTime } from '../doubles/time.ts';
import { keptEndpoint } from './kept-endpoint.ts';
import { run, told } from './run.ts';

function start() {
  const clock = createSimulatedTime();
  const now = clock.now;
  return { clock, options: { now, endpoint: keptEndpoint(now) } };
}

describe('After a second 401', () => {
  test('neither of two rejected tokens is sent again once the pause is over', async () => {
    const { clock, options } = start();
    await run(['a', 'b'], [answer(401), answer(401)], options);
    clock.advance(30_000);
    // Another destination may have kept the second one warm.
    const { outcome, told: seen } = await run(['b', 'c'], [answer(200)], options);
    expect(outcome.kind).toBe('delivered');
    expect(seen).toEqual(told(2, ['b'], ['c']));
  });

  test('a message that is accepted after two 401s makes the next pause short again', async () => {
    const { clock, options } = start();
    for (const [first, second, pauseMs] of [
      ['a', 'b', 30_000],
      ['c', 'd', 60_000],
    ] as const) {
      await run([first, second], [answer(401), answer(401)], options);
      clock.advance(pauseMs);
    }
    expect((await run(['e'], [answer(200)], options)).outcome.kind).toBe('delivered');
    await run(['f', 'g'], [answer(401), answer(401)], options);
    clock.advance(30_000);
    expect((await run(['h'], [answer(200)], options)).outcome.kind).toBe('delivered');
  });

  test('a message that a new token delivers makes the next pause short again', async () => {
    const { clock, options } = start();
    await run(['a', 'b'], [answer(401), answer(401)], options);
    clock.advance(30_000);
    await run(['c', 'd'], [answer(401), answer(200)], options);
    await run(['e', 'f'], [answer(401), answer(401)], options);
    clock.advance(30_000);
    expect((await run(['g'], [answer(200)], options)).outcome.kind).toBe('delivered');
  });
});
