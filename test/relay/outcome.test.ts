/** What each status means for a message, and whether the flow can have run on it. */
import { describe, expect, test } from 'vitest';
import { outcomeOfAnswer } from '../../functions/relay/outcome.ts';
import { answer, EXCEPTION, MPL_ID } from '../doubles/answer.ts';

/** "What an answer means" and "Retry-safety", status by status; what has no row here is `failed`, `unknown`. */
const MEANING: Readonly<Record<number, readonly [kind: string, executed: string]>> = {
  400: ['rejected', 'unknown'],
  401: ['blocked', 'no'],
  403: ['blocked', 'no'],
  404: ['blocked', 'no'],
  405: ['blocked', 'no'],
  408: ['failed', 'unknown'],
  409: ['rejected', 'unknown'],
  410: ['rejected', 'unknown'],
  412: ['rejected', 'unknown'],
  413: ['rejected', 'no'],
  415: ['rejected', 'unknown'],
  422: ['rejected', 'unknown'],
  425: ['failed', 'no'],
  429: ['failed', 'no'],
  503: ['failed', 'no'],
};

function meaningOf(status: number): readonly [string, string] {
  const inTable = MEANING[status];
  if (inTable !== undefined) return inTable;
  if (status >= 200 && status <= 299) return ['delivered', 'yes'];
  if (status >= 300 && status <= 399) return ['blocked', 'unknown'];
  return ['failed', 'unknown'];
}

const statuses = Array.from({ length: 500 }, (_, index) => [100 + index, ...meaningOf(100 + index)] as const);

describe('An answer', () => {
  test.each(statuses)('an answer of %i means %s, executed: %s', (status, kind, executed) => {
    expect(outcomeOfAnswer(answer(status))).toMatchObject({ kind, executed, status });
  });

  test.each(statuses)('an answer of %i to the fetch of a CSRF token delivers nothing and runs nothing', (status) => {
    const outcome = outcomeOfAnswer(answer(status), { reachedFlow: false });
    expect(outcome.kind).not.toBe('delivered');
    expect(outcome.executed).toBe('no');
  });

  test('an answer that delivers is handed on as it came', () => {
    const came = answer(202, 'body', { 'content-type': 'text/plain' });
    expect(outcomeOfAnswer(came)).toStrictEqual({ kind: 'delivered', executed: 'yes', status: 202, answer: came });
  });

  test.each([
    [503, 'no'],
    [500, 'unknown'],
    [502, 'unknown'],
    [504, 'unknown'],
  ])('an answer of %i without an MPL id has run: %s', (status, executed) => {
    expect(outcomeOfAnswer(answer(status, 'Service Unavailable'))).toMatchObject({ executed });
  });

  test.each([500, 502, 503, 504])('an answer of %i with an MPL id comes from a flow that has run', (status) => {
    const outcome = outcomeOfAnswer(answer(status, EXCEPTION));
    expect(outcome).toMatchObject({ kind: 'failed', executed: 'unknown', mplId: MPL_ID });
  });
});

describe('The reason', () => {
  const notDelivered = statuses.filter(([, kind]) => kind !== 'delivered');

  test.each(notDelivered)(
    'the reason for %i names the status and is one line without anything of the answer',
    (status) => {
      const payload = 'hunter22 of the payload';
      const outcome = outcomeOfAnswer(
        answer(status, payload, { location: 'https://hunter22.example.com/', server: payload }),
      );
      const { reason } = outcome as { reason: string };
      expect(reason).toContain(`the endpoint answered ${status}`);
      expect(reason).not.toMatch(/[\r\n]|hunter22/);
    },
  );

  test.each([
    [400, 'the sender must correct it'],
    [401, 'the operator must check that the client is registered for this runtime node'],
    [403, 'the operator must assign the role'],
    [404, 'the operator must check that the flow is deployed and that the address is exact'],
    [405, 'the operator must correct the setting "method"'],
    [302, 'the operator must correct the url'],
    [307, 'the operator must correct the url'],
    [500, 'kept for a later try'],
    [429, 'kept for a later try'],
    [418, 'which is not foreseen: kept for a later try'],
    [100, 'which is not foreseen: kept for a later try'],
  ])('the reason for %i says who must act: %s', (status, words) => {
    expect(outcomeOfAnswer(answer(status))).toMatchObject({ reason: expect.stringContaining(words) });
  });

  test.each([500, 503, 408, 429])('the reason for %i does not call it unforeseen', (status) => {
    expect(outcomeOfAnswer(answer(status))).toMatchObject({ reason: expect.not.stringContaining('foreseen') });
  });
});

describe('What the answer asked to wait', () => {
  test.each([429, 503, 500, 408, 418])('the Retry-After of an answer is kept for %i, which may pass', (status) => {
    expect(outcomeOfAnswer(answer(status), { retryAfterMs: 7_000 })).toMatchObject({ retryAfterMs: 7_000 });
    expect(outcomeOfAnswer(answer(status), { retryAfterMs: 0 })).toMatchObject({ retryAfterMs: 0 });
    expect(outcomeOfAnswer(answer(status))).not.toHaveProperty('retryAfterMs');
  });

  test.each([200, 302, 400, 401, 404])('the Retry-After of an answer of %i does not count', (status) => {
    expect(outcomeOfAnswer(answer(status), { retryAfterMs: 7_000 })).not.toHaveProperty('retryAfterMs');
  });
});
