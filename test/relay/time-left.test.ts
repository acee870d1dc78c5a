import { expect, test } from 'vitest';
import type { CallListeners } from '../../functions/relay/adapter/adapter.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import { relay } from '../../functions/relay/relay.ts';
import { warm } from '../../functions/warm/warm.ts';
import { answer } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { messageOf } from '../doubles/message.ts';
import { NOON } from '../doubles/time.ts';
import { tokenOf } from '../doubles/token.ts';

/** A route whose token takes so long that so many milliseconds are left. */
function routeLeaving(remainingMs: number) {
  let calls = 0;
  const route = {
    token: createEndpointToken(warm({ load: async () => tokenOf('a') }), () => NOON),
    now: () => NOON,
    adapter: {
      exchange: async (_message: unknown, _token: unknown, _deadline: unknown, { onCall }: CallListeners) => {
        calls += 1;
        onCall();
        return { answer: answer(200), reachedFlow: true };
      },
    },
  };
  const deadline = deadlineOf(remainingMs);
  return { attempt: () => relay(messageOf(), route, deadline), calls: () => calls };
}

test('a call that would be cut off is not begun, and nothing has run', async () => {
  const { attempt, calls } = routeLeaving(499);
  expect(await attempt()).toMatchObject({
    calls: 0,
    resent: false,
    outcome: {
      kind: 'failed',
      code: 'DEADLINE',
      executed: 'no',
      reason: 'no time left for the call: kept for a later try',
    },
  });
  expect(calls()).toBe(0);
});

test('a call begins with half a second left', async () => {
  const { attempt, calls } = routeLeaving(500);
  expect(await attempt()).toMatchObject({ calls: 1, outcome: { kind: 'delivered' } });
  expect(calls()).toBe(1);
});
