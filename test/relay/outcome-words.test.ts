/** The words of an outcome, whole: what is known is said without doubt, what is unknown is called so. */
import { describe, expect, test } from 'vitest';
import { outcomeOfAnswer } from '../../functions/relay/outcome.ts';
import { answer } from '../doubles/answer.ts';

describe('An answer is told', () => {
  test.each([408, 425, 429, 500, 502, 503, 504])('an answer of %i is described as one that may pass', (status) => {
    expect(outcomeOfAnswer(answer(status))).toMatchObject({
      kind: 'failed',
      reason: `the endpoint answered ${status}: kept for a later try`,
    });
  });

  test.each([100, 402, 406, 411, 418, 451, 499])(
    'an answer of %i is described as one that is not foreseen',
    (status) => {
      expect(outcomeOfAnswer(answer(status))).toMatchObject({
        kind: 'failed',
        reason: `the endpoint answered ${status}, which is not foreseen: kept for a later try`,
      });
    },
  );

  test('a 400 to the fetch of a CSRF token is not described as a redirect: the message is kept', () => {
    expect(outcomeOfAnswer(answer(400), { reachedFlow: false })).toMatchObject({ kind: 'failed', executed: 'no' });
  });
});
