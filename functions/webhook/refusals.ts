/**
 * What verification turned away, told to the operator without letting strangers fill the log: one line in a minute for each
 * destination. The first refusal is told at once; those of the minute after it are summed up, and told with the next one
 * or at the end of the next invocation. What an environment has summed up when it ends is in the metric alone.
 */
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { TurnedAway } from './admission.ts';

export interface Refusals {
  note(turnedAway: TurnedAway): void;
  /** At the end of an invocation: tells the sums whose minute is over. */
  tell(): void;
}

const PERIOD_MS = 60_000;
/** Strangers ask for any name: they must not make a metric, or a sum here, for each. */
const UNKNOWN = 'unknown';

interface Sum {
  /** Epoch milliseconds. */
  readonly toldAt: number;
  readonly verify: Counter;
  readonly why: Counter;
  count: number;
}

/** @param now epoch milliseconds */
export function createRefusals(telemetry: Pick<Telemetry, 'turnedAway' | 'refused'>, now: () => number): Refusals {
  const sums = new Map<string, Sum>();
  const startSum = (toldAt: number): Sum => ({ toldAt, verify: new Map(), why: new Map(), count: 0 });

  function tellIfOver(destination: string, { toldAt, verify, why, count }: Sum): void {
    if (count === 0 || now() - toldAt < PERIOD_MS) return;
    telemetry.refused({ destination, count, verify: listed(verify), why: listed(why) });
    sums.set(destination, startSum(now()));
  }

  return {
    note({ destination = UNKNOWN, verify, why }) {
      telemetry.turnedAway({ destination, verify, why });
      const sum = sums.get(destination) ?? startSum(Number.NEGATIVE_INFINITY);
      sums.set(destination, sum);
      sum.count += 1;
      count(sum.verify, verify);
      count(sum.why, why);
      tellIfOver(destination, sum);
    },
    tell() {
      for (const [destination, sum] of sums) tellIfOver(destination, sum);
    },
  };
}

type Counter = Map<string, number>;

function count(counter: Counter, name: string | undefined): void {
  if (name !== undefined) counter.set(name, (counter.get(name) ?? 0) + 1);
}

/** Of a few fixed words, the most frequent first. */
function listed(counter: Counter): string | undefined {
  const names = [...counter].sort(([, one], [, other]) => other - one).map(([name]) => name);
  return names.length === 0 ? undefined : names.join(', ');
}
