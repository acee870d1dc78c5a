/** The error of an OData service as a finding, and what a status means that is from the service itself. */
import type { HttpAnswer } from '../../../http/http.ts';
import type { Token } from '../../../token/token-endpoint.ts';
import type { Finding } from '../../outcome.ts';
import { codeForLog, textForLetter } from '../error-text.ts';
import { errorIn } from './error.ts';

/** The error's code for the log, and its text for a dead letter. */
export type ODataWords = Pick<Finding, 'says' | 'detail'>;

/** @returns undefined if the answer has no OData error in it */
export async function errorFindingIn(
  answer: Pick<HttpAnswer, 'headers' | 'body'>,
  token: Token,
): Promise<ODataWords | undefined> {
  const error = await errorIn(answer);
  if (error === undefined) return undefined;
  const code = codeForLog(error.code, token);
  const says = `OData error${code === undefined ? '' : ` ${code}`}`;
  return { says, detail: textForLetter(error.text, token) };
}

/**
 * What a status means if the service itself answers. The service exists then, so a 404 or 405 is about the entity or
 * method.
 *
 * @param isNamed whether the message named the entity, and not the settings
 */
export function meaningOf(status: number, isNamed: boolean): Pick<Finding, 'kind' | 'conclusion'> {
  if (isNamed && (status === 404 || status === 405)) return { kind: 'rejected' };
  return status === 501 ? { kind: 'blocked', conclusion: NOT_IMPLEMENTED } : {};
}

const NOT_IMPLEMENTED =
  'the service cannot do what it is asked for; ' +
  'the operator must check the settings "method" and "adapter", and the flow';
