/**
 * Warm: CPU for each message and messages a second, by the size of the batch, and the second to twentieth invocation of
 * a young process; memory under a heap as small as a small function's.
 */
import { type Bench, type Goal, type PartResult, roundsOf, type Table } from '../part.ts';
import { inTurns, median, minimum } from '../rounds.ts';
import type { Subject } from '../subject.ts';
import type { StepResult, Trial } from '../trial.ts';

const ROUNDS = 3;
/**
 * Each process works for so long before anything is measured: V8 compiles meanwhile, and what it compiled is then in
 * force.
 */
const WARM_UP_MS = 3_000;
/** So many messages are measured in each trial. */
const MESSAGES = { 10: 4_000, 100: 6_000, 1000: 6_000, 5000: 15_000 } as const;
type Batch = keyof typeof MESSAGES;
/** Beyond this the peers, which open a socket for each record of a batch, measure their sockets alone. */
const PEER_BATCHES: readonly number[] = [10, 1000];
const INVOCATIONS = [2, 3, 5, 10, 20];

interface Warm {
  readonly subject: Subject;
  readonly batch: Batch;
  readonly median: number;
  readonly least: number;
  readonly perSecond: number;
  readonly rssMb: number;
}

export async function warm(bench: Bench): Promise<PartResult> {
  const { product, bareHttps, bareTls, modern, typical, peers } = bench.subjects;
  const rounds = roundsOf(bench, ROUNDS);
  const subjects = [bareTls, bareHttps, product, ...peers];
  const batches = [10, 100, 1000, 5000] as const;
  const pairs = batches.flatMap((batch) =>
    subjects
      .filter(({ kind }) => kind !== 'peer' || PEER_BATCHES.includes(batch))
      .map((subject) => ({ subject, batch })),
  );
  bench.progress.expect(rounds * (pairs.length + 5) + 3 * rounds);

  const figures: Warm[] = [];
  for (const batch of batches) {
    const of = pairs.filter((pair) => pair.batch === batch).map(({ subject }) => subject);
    figures.push(...(await measure(bench, of, batch, rounds)));
  }
  const young = await youngProcess(bench, [bareHttps, product, modern, typical], rounds);
  const memory = await smallHeap(bench, [product, modern, typical], rounds);

  return {
    title: 'Warm path',
    tables: [...batches.map((batch) => table(batch, figures, bench)), young, memory.table],
    goals: [...goalsOf(bench, figures), memory.goal],
    plots: [plot(10, figures), plot(1000, figures)],
    notes: [
      `Medians and minima of ${rounds} rounds, each a fresh process that has worked for ${WARM_UP_MS / 1000} seconds before; 2 KB of JSON a message. The limits send with a token that they have, write no log and know no deadline.`,
      'The product, the modern and the typical peer write a line of log and count a metric for each message; the other peers and the limits write nothing. Log lines go to /dev/null.',
      'The product holds ten sockets; fetch, axios and the SAP Cloud SDK open one for each record of a batch, for which reason they are left out at 5,000.',
      'The servers stay awake: to wake up a process that sleeps is at the cost of the sender, and a slow one pays it more often.',
    ],
  };
}

async function measure(bench: Bench, subjects: readonly Subject[], batch: Batch, rounds: number): Promise<Warm[]> {
  const steps = [
    { kind: 'warmUp', records: batch, ms: WARM_UP_MS },
    { kind: 'repeat', records: batch, times: MESSAGES[batch] / batch },
  ] as const;
  const variants = subjects.map((subject) => ({
    name: subject.name,
    run: () => bench.trial(subject, steps),
  }));
  const results = await inTurns(variants, rounds, bench.progress.step);
  return subjects.map((subject) => {
    const last = (results.get(subject.name) ?? []).map((trial): StepResult | undefined => trial.steps.at(-1));
    const cpu = last.map((result) => result?.cpuUsPerMessage ?? Number.NaN);
    return {
      subject,
      batch,
      median: median(cpu),
      least: minimum(cpu),
      perSecond: median(last.map((result) => ((result?.messages ?? 0) * 1000) / (result?.wallMs ?? Number.NaN))),
      rssMb: median(last.map((result) => result?.rssMb ?? Number.NaN)),
    };
  });
}

function find(figures: readonly Warm[], batch: Batch, subject: Subject): Warm | undefined {
  return figures.find((figure) => figure.batch === batch && figure.subject === subject);
}

function table(batch: Batch, figures: readonly Warm[], { subjects }: Bench): Table {
  const least = (subject: Subject) => find(figures, batch, subject)?.least ?? Number.NaN;
  return {
    title: `Batches of ${batch.toLocaleString('en')}`,
    columns: [
      '',
      'CPU µs/message, median',
      'least',
      '× bare node:https (least)',
      '× typical peer (least)',
      'messages/s',
      'RSS, MB',
    ],
    rows: figures
      .filter((figure) => figure.batch === batch)
      .map((figure) => [
        figure.subject.label,
        figure.median.toFixed(1),
        figure.least.toFixed(1),
        (figure.least / least(subjects.bareHttps)).toFixed(2),
        PEER_BATCHES.includes(batch) ? (figure.least / least(subjects.typical)).toFixed(3) : '–',
        Math.round(figure.perSecond),
        figure.rssMb.toFixed(0),
      ]),
  };
}

function goalsOf({ subjects }: Bench, figures: readonly Warm[]): Goal[] {
  const ratio = (batch: Batch, to: Subject) =>
    (find(figures, batch, subjects.product)?.least ?? Number.NaN) / (find(figures, batch, to)?.least ?? Number.NaN);
  const own = (batch: Batch) => find(figures, batch, subjects.product)?.least ?? Number.NaN;
  const { bareHttps, modern, typical } = subjects;
  return [
    { figure: 'warm CPU, batch of ten, against bare node:https', goal: 1.2, measured: ratio(10, bareHttps) },
    { figure: 'the same against the modern peer', goal: 0.3, measured: ratio(10, modern) },
    { figure: 'the same against the typical peer', goal: 0.14, measured: ratio(10, typical) },
    { figure: 'warm CPU, batch of 1,000, against bare node:https', goal: 1.1, measured: ratio(1000, bareHttps) },
    { figure: 'the same against the typical peer', goal: 0.05, measured: ratio(1000, typical) },
    { figure: 'cost of a message in a batch of 5,000 against 100', goal: 1.1, measured: own(5000) / own(100) },
  ];
}

async function youngProcess(bench: Bench, subjects: readonly Subject[], rounds: number): Promise<Table> {
  const steps = [{ kind: 'young', records: 10, times: 20 }] as const;
  const variants = subjects.map((subject) => ({ name: subject.name, run: () => bench.trial(subject, steps) }));
  const results = await inTurns(variants, rounds, bench.progress.step);
  const at = (trials: readonly Trial[], invocation: number) =>
    median(trials.map(({ steps: [young] }) => young?.cpuUs?.[invocation - 1] ?? Number.NaN));
  return {
    title: 'A young process, batches of ten: CPU µs a message, by invocation',
    columns: ['', ...INVOCATIONS.map(String)],
    rows: subjects.map((subject) => [
      subject.label,
      ...INVOCATIONS.map((invocation) => at(results.get(subject.name) ?? [], invocation).toFixed(0)),
    ]),
  };
}

async function smallHeap(
  bench: Bench,
  subjects: readonly Subject[],
  rounds: number,
): Promise<{ table: Table; goal: Goal }> {
  // Each event is made when it is its turn: those to come are not in a function's memory.
  const steps = Array.from({ length: 10 }, () => ({ kind: 'invoke', records: 1000 }) as const);
  const options = { nodeFlags: ['--max-old-space-size=90', '--max-semi-space-size=2'], mayFail: true };
  const variants = subjects.map((subject) => ({ name: subject.name, run: () => bench.trial(subject, steps, options) }));
  const results = await inTurns(variants, rounds, bench.progress.step);
  const peak = (subject: Subject) => median((results.get(subject.name) ?? []).map(({ maxRssMb }) => maxRssMb));
  return {
    table: {
      title: 'Batches of 1,000 with a heap of 90 MB: most memory the process ever had, MB',
      columns: ['', 'RSS at most'],
      rows: subjects.map((subject) => [subject.label, peak(subject).toFixed(0)]),
    },
    goal: {
      figure: 'memory at batches of 1,000 with a heap of 90 MB',
      goal: 100,
      measured: peak(bench.subjects.product),
      unit: 'MB',
    },
  };
}

function plot(batch: Batch, figures: readonly Warm[]) {
  const bars = figures
    .filter((figure) => figure.batch === batch)
    .map(({ subject, least }) => ({ label: subject.label, value: least, isOurs: subject.kind === 'product' }));
  const title = `Warm, batches of ${batch.toLocaleString('en')}: CPU a message`;
  return { name: `warm-${batch}`, title, unit: 'µs', bars };
}
