/**
 * The life of an environment: CPU from the start of its process until 1, 10, 100 and 1,000 batches of ten are
 * delivered. A month of Lambda is the sum of such lives: few of them are so short that only the cold start counts, or
 * so long that only the warm path does.
 */
import { type Bench, type Goal, type PartResult, roundsOf, type Table } from '../part.ts';
import { inTurns, median } from '../rounds.ts';
import type { Subject } from '../subject.ts';
import type { Trial } from '../trial.ts';

const ROUNDS = 5;
const RECORDS = 10;
/** Batches that an environment has delivered when its CPU is read. */
const AGES = [1, 10, 100, 1000] as const;
type Age = (typeof AGES)[number];

interface Life {
  readonly subject: Subject;
  /** Over an empty handler that was handed the same batches, in milliseconds. */
  readonly overEmptyMs: Readonly<Record<Age, number>>;
}

export async function life(bench: Bench): Promise<PartResult> {
  const { empty, bareTls, bareHttps, product, peers } = bench.subjects;
  const subjects = [bareTls, bareHttps, product, ...peers];
  const rounds = roundsOf(bench, ROUNDS);
  bench.progress.expect(rounds * (subjects.length + 1));
  const variants = [empty, ...subjects].map((subject) => ({
    name: subject.name,
    run: () => bench.trial(subject, STEPS),
  }));
  const results = await inTurns(variants, rounds, bench.progress.step);
  const baseline = totals(results.get(empty.name) ?? []);
  const lives = subjects.map((subject): Life => {
    const own = totals(results.get(subject.name) ?? []);
    const overEmptyMs = {
      1: own[1] - baseline[1],
      10: own[10] - baseline[10],
      100: own[100] - baseline[100],
      1000: own[1000] - baseline[1000],
    };
    return { subject, overEmptyMs };
  });
  return {
    title: 'The life of an environment',
    tables: [table(lives, bench)],
    goals: goalsOf(lives, bench),
    notes: [
      `Medians of ${rounds} rounds: user and system time of all threads from the start of the process until so many batches of ten were delivered, one after the other, less that of a process with an empty handler; 2 KB of JSON a message.`,
      'The limits have a token from the start: they read no secret and request no token.',
    ],
  };
}

/** From one age to the next. */
const STEPS = AGES.map((age, index) => ({
  kind: 'repeat' as const,
  records: RECORDS,
  times: age - (AGES[index - 1] ?? 0),
}));

/** CPU since the process began, in milliseconds, by the number of batches delivered. */
function totals(trials: readonly Trial[]): Record<Age, number> {
  const at = (age: Age) => median(trials.map(({ steps }) => steps[AGES.indexOf(age)]?.totalCpuMs ?? Number.NaN));
  return { 1: at(1), 10: at(10), 100: at(100), 1000: at(1000) };
}

function table(lives: readonly Life[], { subjects }: Bench): Table {
  const typical = lives.find(({ subject }) => subject === subjects.typical);
  return {
    title: 'CPU until so many messages were delivered, in batches of ten: ms over empty (× typical peer)',
    columns: ['', ...AGES.map((age) => `${(age * RECORDS).toLocaleString('en')} messages`)],
    rows: lives.map(({ subject, overEmptyMs }) => [
      subject.label,
      ...AGES.map((age) => {
        const share = overEmptyMs[age] / (typical?.overEmptyMs[age] ?? Number.NaN);
        return `${overEmptyMs[age].toFixed(0)} (${share.toFixed(2)})`;
      }),
    ]),
  };
}

function goalsOf(lives: readonly Life[], { subjects }: Bench): Goal[] {
  const at100 = (subject: Subject) => lives.find((one) => one.subject === subject)?.overEmptyMs[100] ?? Number.NaN;
  const ratio = (to: Subject) => at100(subjects.product) / at100(to);
  return [
    {
      figure: 'CPU from birth to 1,000 messages, against the typical peer',
      goal: 0.23,
      measured: ratio(subjects.typical),
    },
    { figure: 'the same against the modern peer', goal: 0.34, measured: ratio(subjects.modern) },
    { figure: 'the same against bare node:https', goal: 1.25, measured: ratio(subjects.bareHttps) },
  ];
}
