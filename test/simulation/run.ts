/**
 * `npm run simulate`: many runs on all cores, with what they counted; for each broken rule the seed, the shortest run
 * that still breaks it, in words, and the command that shows it again. With `--seed` one run and its whole trace.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { BUG_MESSAGES, BUGS } from './bugs.ts';
import { bundleRelay } from './bundle.ts';
import { drawPlan } from './draw.ts';
import { indexesIn } from './indexes.ts';
import { type Rest, shrink, withRest } from './shrink.ts';
import { commandOf, story } from './story.ts';
import { add, type Tally, told } from './tally.ts';
import type { Report, Task } from './worker.ts';
import { simulate } from './world.ts';

const HELP = `npm run simulate -- [options]

  --seeds <n>      how many runs (default 1000), each from its own seed
  --from <seed>    the first of them (default 1)
  --minutes <m>    in place of --seeds: as many as the time allows
  --long           only runs that last for days
  --messages <n>   of each run (default: 20 to 160, drawn from the seed)
  --cores <n>      threads (default: all)
  --seed <seed>    one run, its whole trace; with --faults and --arrivals only these of its plan ("none" or 1,4-7)
  --bug <name>     with this bug planted
  --bugs           which seed is the first to find each planted bug`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    cores: { type: 'string', default: String(availableParallelism()) },
    long: { type: 'boolean', default: false },
    messages: { type: 'string' },
    seed: { type: 'string' },
    faults: { type: 'string' },
    arrivals: { type: 'string' },
    bug: { type: 'string' },
    bugs: { type: 'boolean', default: false },
  },
});
/** Of each run; drawn from its seed where nothing is said. */
const messages = values.messages === undefined ? undefined : Number(values.messages);
/** How many seeds a thread gets at once. */
const BLOCK = messages === undefined ? 10 : 1;
/** For making one broken run shorter. */
const SHRINK_MS = 30_000;
/** How many broken runs are shrunk and printed. */
const TOLD = 3;

if (values.help) console.log(HELP);
else if (values.bugs) process.exitCode = await hunt();
else if (values.seed === undefined) process.exitCode = await many();
else process.exitCode = await one(Number(values.seed));

/** The whole trace, digest of its own kind: two machines compare it line by line. */
async function one(seed: number): Promise<number> {
  const plan = drawPlan(seed, messages, values.long);
  const rest: Rest = {
    faults: indexesIn(values.faults, plan.faults.length),
    arrivals: indexesIn(values.arrivals, plan.arrivals.length),
  };
  const outcome = await simulate(withRest(plan, rest), await bundleRelay(patchesOf(values.bug)));
  for (const line of outcome.trace) console.log(line);
  for (const { rule, words } of outcome.ledger.violations) console.log(`${rule}: ${words}`);
  return outcome.ledger.violations.length === 0 ? 0 : 1;
}

async function many(): Promise<number> {
  const startedAt = performance.now();
  const first = Number(values.from);
  const seeds = values.minutes === undefined ? Number(values.seeds) : Number.POSITIVE_INFINITY;
  const endsAt = startedAt + Number(values.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const tally: Tally = {};
  const broken: Report['broken'][number][] = [];
  let next = first;
  let done = 0;
  let events = 0;

  function task(): Task | undefined {
    const count = Math.min(BLOCK, first + seeds - next);
    if (count <= 0 || performance.now() > endsAt) return undefined;
    next += count;
    return { from: next - count, count };
  }

  await Promise.all(
    Array.from({ length: Number(values.cores) }, () =>
      work(task, values.bug, (report) => {
        add(tally, report.tally);
        broken.push(...report.broken);
        events += report.events;
        done += report.count;
        progress(done, seeds, tally.messages?.sent ?? 0, performance.now() - startedAt);
      }),
    ),
  );
  if (process.stdout.isTTY) console.log();
  for (const line of told(tally)) console.log(line);
  const seconds = (performance.now() - startedAt) / 1000;
  const sent = tally.messages?.sent ?? 0;
  console.log(
    `${done} seeds from ${first}: ${sent} messages, ${events} events in ${seconds.toFixed(0)} s, ${Math.round(sent / seconds / Number(values.cores))} messages a second and core; rules broken in ${broken.length} runs`,
  );
  for (const { seed, rule, words } of broken) console.log(`seed ${seed}: ${rule}: ${words}`);
  const bundle = await bundleRelay(patchesOf(values.bug));
  for (const { seed } of broken.slice(0, TOLD)) {
    const plan = drawPlan(seed, messages, values.long);
    const lateAt = performance.now() + SHRINK_MS;
    const { rest, outcome } = await shrink(
      plan,
      bundle,
      await simulate(plan, bundle),
      () => performance.now() > lateAt,
    );
    console.log(
      [
        '',
        ...story(
          withRest(plan, rest),
          outcome,
          commandOf(seed, { rest, messages, isLong: values.long, bug: values.bug }),
        ),
      ].join('\n'),
    );
  }
  return broken.length === 0 ? 0 : 1;
}

/** Which seed is the first to find each planted bug. */
async function hunt(): Promise<number> {
  let missed = 0;
  for (const { name, patches, rules, messages: own = BUG_MESSAGES, isLong } of BUGS) {
    const bundle = await bundleRelay(patches);
    let found: string | undefined;
    for (let seed = 1; seed <= Number(values.seeds) && found === undefined; seed += 1) {
      const [violation] = (await simulate(drawPlan(seed, messages ?? own, isLong), bundle)).ledger.violations;
      if (violation === undefined) continue;
      found = `seed ${seed}: ${violation.rule}${rules.includes(violation.rule) ? '' : ' (not among the expected rules)'}`;
    }
    if (found === undefined) missed += 1;
    console.log(`${name.padEnd(55)} ${found ?? `not within ${values.seeds} seeds`}`);
  }
  return missed;
}

/** One thread, until there is nothing more to do. */
function work(
  task: () => Task | undefined,
  bug: string | undefined,
  onReport: (report: Report) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { bug, messages, isLong: values.long },
    });
    worker.on('error', reject);
    worker.on('message', (message: 'ready' | Report | { readonly unhandled: string }) => {
      if (typeof message === 'object' && 'unhandled' in message) {
        reject(new Error(`nobody handles: ${message.unhandled}`));
        return;
      }
      if (message !== 'ready') onReport(message);
      const wanted = task();
      if (wanted !== undefined) worker.postMessage(wanted);
      else worker.terminate().then(() => resolve(), reject);
    });
  });
}

/** A bar on a terminal; elsewhere a line now and then. */
function progress(done: number, seeds: number, messages: number, elapsedMs: number): void {
  const seconds = Math.round(elapsedMs / 1000);
  if (process.stdout.isTTY) {
    const share = Number.isFinite(seeds) ? done / seeds : Math.min(1, seconds / (Number(values.minutes) * 60));
    const bar = '█'.repeat(Math.floor(share * 30)).padEnd(30, '░');
    process.stdout.write(`\r${bar} ${done} seeds, ${messages} messages, ${seconds} s `);
  } else if (done % (messages === undefined ? 500 : 5) < BLOCK)
    console.log(`${done} seeds, ${messages} messages, ${seconds} s`);
}

function patchesOf(bug: string | undefined) {
  if (bug === undefined) return [];
  const found = BUGS.find(({ name }) => name === bug);
  if (found === undefined)
    throw new Error(`there is no bug "${bug}"; there are: ${BUGS.map(({ name }) => name).join(', ')}`);
  return found.patches;
}
