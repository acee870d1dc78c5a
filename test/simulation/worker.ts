/** A thread of `npm run simulate`: runs the seeds it is given, and reports what was counted and what was broken. */
import { parentPort, workerData } from 'node:worker_threads';
import { BUGS } from './bugs.ts';
import { bundleRelay } from './bundle.ts';
import { drawPlan } from './draw.ts';
import { add, type Tally, tallyOf } from './tally.ts';
import { simulate } from './world.ts';

/** Seeds in a row. */
export interface Task {
  readonly from: number;
  readonly count: number;
}

export interface Report extends Task {
  readonly tally: Tally;
  readonly events: number;
  readonly broken: readonly { readonly seed: number; readonly rule: string; readonly words: string }[];
}

// Errors are answers here, many for each message; nobody reads where they were made.
Error.stackTraceLimit = 0;
const { bug, messages, isLong } = workerData as {
  readonly bug?: string;
  readonly messages?: number;
  readonly isLong: boolean;
};
const bundle = await bundleRelay(BUGS.find(({ name }) => name === bug)?.patches);

async function run({ from, count }: Task): Promise<Report> {
  const tally: Tally = {};
  const broken: { seed: number; rule: string; words: string }[] = [];
  let events = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    try {
      const outcome = await simulate(drawPlan(seed, messages, isLong), bundle);
      add(tally, tallyOf(outcome.ledger));
      events += outcome.events;
      for (const { rule, words } of outcome.ledger.violations.slice(0, 1)) broken.push({ seed, rule, words });
    } catch (error) {
      broken.push({ seed, rule: 'the simulation itself', words: String(error) });
    }
  }
  return { from, count, tally, events, broken };
}

process.on('unhandledRejection', (error) => parentPort?.postMessage({ unhandled: String(error) }));
parentPort?.on('message', (task: Task) => {
  run(task).then((report) => parentPort?.postMessage(report));
});
parentPort?.postMessage('ready');
