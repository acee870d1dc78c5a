/**
 * Makes a run that broke a rule shorter, as long as it still breaks the same one: without this fault, without those
 * messages. What is left is named by its numbers in the plan of the seed, so that it can be run again.
 */
import type { Bundle } from './bundle.ts';
import type { Plan } from './plan.ts';
import { type Outcome, simulate } from './world.ts';

/** What is left of a plan, by index. */
export interface Rest {
  readonly faults: readonly number[];
  readonly arrivals: readonly number[];
}

export interface Shrunk {
  readonly rest: Rest;
  readonly outcome: Outcome;
  readonly runs: number;
}

/** More runs than this would take too long. */
const MAX_RUNS = 250;

/** @param isLate ends it early; what is left by then is reported. Default: never */
export async function shrink(plan: Plan, bundle: Bundle, broken: Outcome, isLate = () => false): Promise<Shrunk> {
  const rule = broken.ledger.violations[0]?.rule;
  let rest: Rest = { faults: [...plan.faults.keys()], arrivals: [...plan.arrivals.keys()] };
  let outcome = broken;
  let runs = 0;

  const isWorthIt = () => runs < MAX_RUNS && !isLate();

  async function isBrokenBy(less: Rest): Promise<boolean> {
    runs += 1;
    const tried = await simulate(withRest(plan, less), bundle);
    if (!tried.ledger.violations.some((violation) => violation.rule === rule)) return false;
    rest = less;
    outcome = tried;
    return true;
  }

  async function shorten(part: keyof Rest): Promise<boolean> {
    let isShorter = false;
    for (let size = Math.ceil(rest[part].length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < rest[part].length && isWorthIt(); ) {
        const less = rest[part].filter((_, index) => index < from || index >= from + size);
        if (await isBrokenBy({ ...rest, [part]: less })) isShorter = true;
        else from += size;
      }
    }
    return isShorter;
  }

  while ((await shorten('faults')) || (await shorten('arrivals'))) if (!isWorthIt()) break;
  return { rest, outcome, runs };
}

/** A destination that nobody sends to is left out, too, but the first: a relay has one. */
export function withRest(plan: Plan, { faults, arrivals }: Rest): Plan {
  return {
    ...plan,
    faults: plan.faults.filter((_, index) => faults.includes(index)),
    arrivals: plan.arrivals.filter((_, index) => arrivals.includes(index)),
  };
}
