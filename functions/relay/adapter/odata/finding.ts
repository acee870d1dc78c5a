/** What an OData service's own words mean: the code and text of its error, and what its status is about where it speaks itself. */
import type { HttpAnswer } from '../../../http/http.ts';
import type { Token } from '../../../token/token-endpoint.ts';
import type { Finding } from '../../outcome.ts';
import { codeForLog, textForLetter } from '../error-text.ts';
import { errorIn } from './error.ts';

/** What was read, and the service's own words. */
export type Told = Pick<Finding, 'says' | 'detail'>;

/** @returns undefined if there is no error of OData in it */
export async function toldIn(answer: Pick<HttpAnswer, 'headers' | 'body'>, token: Token): Promise<Told | undefined> {
  const error = await errorIn(answer);
  if (error === undefined) return undefined;
  const code = codeForLog(error.code, token);
  const says = `OData error${code === undefined ? '' : ` ${code}`}`;
  return { says, detail: textForLetter(error.text, token) };
}

/**
 * What a status means beyond HTTP's where the service itself says it: it is there, so a 404 or 405 is about what the request
 * named.
 *
 * @param isNamed whether the message named that, and not the settings
 */
export function meaningOf(status: number, isNamed: boolean): Pick<Finding, 'kind' | 'conclusion'> {
  if (isNamed && (status === 404 || status === 405)) return { kind: 'rejected' };
  return status === 501 ? { kind: 'blocked', conclusion: NOT_IMPLEMENTED } : {};
}

const NOT_IMPLEMENTED =
  'the service cannot do what it is asked for; the operator must check the settings "method" and "adapter", and the flow';
