/** A run that broke a rule, in words: what was sent, what went wrong, what happened, and how to see it again. */
import { listed } from './indexes.ts';
import type { Plan } from './plan.ts';
import type { Rest } from './shrink.ts';
import type { Outcome } from './world.ts';

/** More than this nobody reads; the end is what matters. */
const LINES = 80;

/** @param command how to see it again */
export function story(plan: Plan, { ledger, trace }: Outcome, command: string): string[] {
  const { faults, arrivals, destinations } = plan;
  const used = destinations.filter(({ name }) => arrivals.some(({ destination }) => destination === name));
  return [
    `seed ${plan.seed}: ${ledger.violations[0]?.rule ?? 'no rule is broken'}`,
    ...ledger.violations.slice(0, 5).map(({ rule, words }) => `  ${rule}: ${words}`),
    `on ${plan.environment}, tokens live ${plan.tokenLifetimeSeconds} s; destinations:`,
    ...used.map((one) => `  ${JSON.stringify(one)}`),
    `${arrivals.length} messages, ${faults.length} faults:`,
    ...faults.map(
      ({ kind, fromMs, toMs, share, destination }) =>
        `  ${kind}, from ${fromMs / 1000} s to ${toMs / 1000} s, ${share * 100} % where it hits calls, ${destination}`,
    ),
    ...(trace.length > LINES ? [`… ${trace.length - LINES} lines before`] : []),
    ...trace.slice(-LINES),
    `again: ${command}`,
  ];
}

export interface Again {
  readonly rest: Rest;
  readonly messages: number | undefined;
  readonly isLong?: boolean;
  readonly bug: string | undefined;
}

export function commandOf(seed: number, { rest, messages, isLong = false, bug }: Again): string {
  const sized = messages === undefined ? '' : ` --messages ${messages}`;
  const left = ` --faults ${listed(rest.faults)} --arrivals ${listed(rest.arrivals)}`;
  const long = isLong ? ' --long' : '';
  return `npm run simulate -- --seed ${seed}${sized}${long}${left}${bug === undefined ? '' : ` --bug "${bug}"`}`;
}
