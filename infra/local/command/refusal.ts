/**
 * A line for each call that somebody in the landscape refused, with the true reason, which only the landscape tells: the
 * authorization server, the runtime node, and the gateway in front of the webhooks. What the webhook function itself refuses
 * stands in its log.
 */
import type { Fact } from '../facts/fact.ts';
import { wrapped } from '../story/width.ts';

/** Of the time and what is behind it. */
const INDENT = 10;

/** @returns in lines of at most `columns`; undefined for what is no refusal */
export function refusalLine(fact: Fact, columns: number): string | undefined {
  const told = refusalOf(fact);
  if (told === undefined) return undefined;
  return wrapped(`${new Date(fact.event.at).toISOString().slice(11, 19)}  ${told}`, INDENT, columns);
}

function refusalOf(fact: Fact): string | undefined {
  switch (fact.of) {
    case 'authorization-server': {
      const { status, refusal } = fact.event;
      if (status < 400) return undefined;
      return `token refused  ${status}${refusal === undefined ? '' : `: ${refusal}`}`;
    }
    case 'runtime-node': {
      const { event } = fact;
      if (event.what !== 'call' || ![401, 403, 404, 405].includes(event.status)) return undefined;
      const { status, path, method, why } = event;
      return `${method} ${path}  ${status}${why === undefined ? '' : `: ${why}`}${remarkOn(method, status, why)}`;
    }
    case 'gateway': {
      const { event } = fact;
      if (event.what !== 'answered' || event.invocation !== undefined || event.status < 400) return undefined;
      return `gateway  ${event.status}${event.status === 403 ? ': not signed by a known access key' : ''}`;
    }
    default:
      return undefined;
  }
}

/** What looks like an error and belongs to the usual course of things. */
function remarkOn(method: string, status: number, why = ''): string {
  if (status === 403 && why.includes('CSRF token')) return ' (normal: the relay then asks for one)';
  const isStranger = status === 401 && why.startsWith('the call has neither');
  if (method === 'OPTIONS' && (status === 405 || isStranger)) return ' (normal: npm run doctor asks so)';
  return '';
}
