/**
 * Logs what verification turned away, without letting strangers fill the log: one line a minute for each destination.
 * The first refusal is logged at once. Those of the minute after it are counted, and logged with the next refusal or at
 * the end of the next invocation. What is still only counted when an environment ends is in the metric alone.
 */
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { TurnedAway } from './admission.ts';

export interface Refusals {
  note(turnedAway: TurnedAway): void;
  /** At the end of an invocation: logs the counts whose minute is over. */
  logDue(): void;
}

const PERIOD_MS = 60_000;
/** Strangers choose any name: there must not be a metric, or a count here, for each. */
const UNKNOWN = 'unknown';

interface Sum {
  /** Epoch milliseconds. */
  readonly loggedAt: number;
  readonly verify: Counter;
  readonly why: Counter;
  count: number;
}

/** @param now epoch milliseconds */
export function createRefusals(telemetry: Pick<Telemetry, 'turnedAway' | 'refused'>, now: () => number): Refusals {
  const sums = new Map<string, Sum>();
  const startSum = (loggedAt: number): Sum => ({ loggedAt, verify: new Map(), why: new Map(), count: 0 });

  function logIfOver(destination: string, { loggedAt, verify, why, count }: Sum): void {
    if (count === 0 || now() - loggedAt < PERIOD_MS) return;
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
      logIfOver(destination, sum);
    },
    logDue() {
      for (const [destination, sum] of sums) logIfOver(destination, sum);
    },
  };
}

type Counter = Map<string, number>;

function count(counter: Counter, name: string | undefined): void {
  if (name !== undefined) counter.set(name, (counter.get(name) ?? 0) + 1);
}

/** The names, the most frequent first. There are only a few, all of them ours. */
function listed(counter: Counter): string | undefined {
  const names = [...counter].sort(([, one], [, other]) => other - one).map(([name]) => name);
  return names.length === 0 ? undefined : names.join(', ');
}
