/**
 * What happened in a run, line by line, in words and in simulated time: the same for the same plan, byte for byte,
 * since nothing in it comes from anywhere but the plan.
 */

export interface Trace {
  /** @param who the system, environment or message that it is about */
  note(who: string, what: string): void;
  readonly lines: readonly string[];
}

/** @param now epoch milliseconds; lines tell the time since `startsAt` */
export function createTrace(now: () => number, startsAt: number): Trace {
  const lines: string[] = [];
  return {
    lines,
    note(who, what) {
      lines.push(`${elapsed(now() - startsAt)}  ${who.padEnd(12)} ${what}`);
    },
  };
}

function elapsed(ms: number): string {
  const whole = Math.floor(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes, seconds] = [
    Math.floor(whole / 3_600_000),
    Math.floor(whole / 60_000) % 60,
    Math.floor(whole / 1000) % 60,
  ];
  return `${two(hours)}:${two(minutes)}:${two(seconds)}.${String(whole % 1000).padStart(3, '0')}`;
}
