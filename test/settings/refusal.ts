/**
 * The refusal of a secret: its words, who must act, and that nothing of the content is in any form it is printed in.
 */
import { expect } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { readCredentials } from '../../functions/token/credentials.ts';
import { MARK } from './secrets.ts';

/** @param secrets what must not be shown, besides every value with the mark in it */
export function expectRefusal(text: string, problem: string, secrets: readonly string[] = []): void {
  const error = refusal(text);
  expect(error).toMatchObject({ code: 'SECRET_MALFORMED', executed: 'no' });
  expect(error.message).toBe(`secret "cpi/orders": ${problem}; the operator must correct the secret`);
  for (const secret of [MARK, ...secrets]) expect(`${error.stack} ${String(error.cause)}`).not.toContain(secret);
}

function refusal(text: string): RelayError {
  try {
    readCredentials({ text, versionId: 'v1' }, 'cpi/orders');
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}
