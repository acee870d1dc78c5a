/** What a run has done so far, in numbers, and how that is said. */
import type { Action } from './arguments.ts';

const ALWAYS = ['listed', 'selected', 'sent', 'deleted', 'failed'] as const;
const SOMETIMES = ['exported', 'held back', 'died again'] as const;

export type Counted = (typeof ALWAYS)[number] | (typeof SOMETIMES)[number] | 'incomplete';

export interface Tally {
  count(what: Counted): void;
  of(what: Counted): number;
  /** Beside the progress bar. */
  label(): string;
  /** `listed 12, selected 9, sent 9, deleted 9, failed 0`. */
  summary(): string;
}

const DONE: Readonly<Record<Action, Counted>> = {
  list: 'selected',
  show: 'selected',
  export: 'exported',
  send: 'sent',
  bury: 'sent',
};

export function createTally(action: Action): Tally {
  const counts = new Map<Counted, number>();
  const of = (what: Counted) => counts.get(what) ?? 0;
  return {
    count: (what) => {
      counts.set(what, of(what) + 1);
    },
    of,
    label: () => `${DONE[action]} ${of(DONE[action])}`,
    summary: () =>
      [...ALWAYS, ...SOMETIMES.filter((what) => of(what) > 0)].map((what) => `${what} ${of(what)}`).join(', '),
  };
}
