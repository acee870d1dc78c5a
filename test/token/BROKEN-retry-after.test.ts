/** `Retry-After` that is neither seconds nor a date; each test says what is expected, and fails. */
import { expect, test } from 'vitest';
import { retryAfterMs } from '../../functions/http-time.ts';
import { NOON } from './token-answer.ts';

// RFC 9110 section 10.2.3: what is neither delay-seconds nor an HTTP-date tells nothing. Date.parse reads a year in it.
test.each(['1.5', '-5', '1, 2'])('Retry-After: %s tells nothing, and so does not mean "at once"', (value) => {
  expect(retryAfterMs({ 'retry-after': value }, NOON)).toBeUndefined();
});
