/**
 * Cold start: from the start of the process to the first message delivered, as CPU over an empty handler; the same for
 * a first batch of ten; loading alone; memory; bytes.
 */
import { type Bench, type Goal, type PartResult, roundsOf, type Table } from '../part.ts';
import { inTurns, median, minimum } from '../rounds.ts';
import type { Subject } from '../subject.ts';
import type { Trial } from '../trial.ts';

const ROUNDS = 15;

/** Medians of one subject, in milliseconds and MB. */
interface Cold {
  readonly subject: Subject;
  readonly overEmptyMs: number;
  readonly leastOverEmptyMs: number;
  readonly initMs: number;
  readonly firstMs: number;
  readonly secondMs: number;
  readonly wallMs: number;
  readonly rssMb: number;
}

export async function cold(bench: Bench): Promise<PartResult> {
  const { empty, product, defaults, bareHttps, bareTls, peers } = bench.subjects;
  const subjects = [empty, bareTls, bareHttps, product, defaults, ...peers];
  const rounds = roundsOf(bench, ROUNDS);
  bench.progress.expect(rounds * (2 * subjects.length + 2));

  const one = await measure(bench, subjects, 1, rounds);
  const ten = await measure(bench, subjects, 10, rounds);
  const init = await initAgainstLazy(bench, rounds);
  const { loadedBytes } = await bench.trial(product, [{ kind: 'invoke', records: 1 }], { trace: true });

  const goals = [...goalsOf(bench, one, ten), init.goal];
  const delivered = one.find(({ subject }) => subject === product);
  goals.push(
    {
      figure: 'memory over empty after the first message',
      goal: 16,
      measured: delivered?.rssMb ?? Number.NaN,
      unit: 'MB',
    },
    { figure: 'bytes loaded on the way of a delivered message', goal: 230, measured: loadedBytes / 1000, unit: 'kB' },
  );
  return {
    title: 'Cold start',
    tables: [
      table('One message: from process start to its delivery', one, bench),
      table('A first batch of ten', ten, bench),
      init.table,
    ],
    goals,
    plots: [
      plot('cold-one', 'Cold start to one message delivered: CPU over an empty handler', one),
      plot('cold-ten', 'Cold start to a batch of ten delivered: CPU over an empty handler', ten),
    ],
    notes: [
      `Medians of ${rounds} rounds. "CPU over empty" is user and system time of all threads from the start of the process until the reply, less that of a process with an empty handler; Node's own start is in neither.`,
      'The limits have a token from the start: they read no secret and request no token.',
      'The peers keep secret and token in the module, as their documentation shows it; a cold batch of ten finds neither, so each of its records asks (see "Tokens").',
    ],
  };
}

async function measure(bench: Bench, subjects: readonly Subject[], records: number, rounds: number): Promise<Cold[]> {
  const steps = [
    { kind: 'invoke', records },
    { kind: 'invoke', records },
  ] as const;
  const variants = subjects.map((subject) => ({ name: subject.name, run: () => bench.trial(subject, steps) }));
  const results = await inTurns(variants, rounds, bench.progress.step);
  const totals = (trials: readonly Trial[]) => trials.map(({ steps: [first] }) => first?.totalCpuMs ?? Number.NaN);
  const rss = (trials: readonly Trial[]) => median(trials.map(({ steps: [first] }) => first?.rssMb ?? Number.NaN));
  const emptyTrials = results.get(bench.subjects.empty.name) ?? [];
  return subjects.map((subject) => {
    const trials = results.get(subject.name) ?? [];
    const of = (read: (trial: Trial) => number | undefined) => median(trials.map((trial) => read(trial) ?? Number.NaN));
    return {
      subject,
      overEmptyMs: median(totals(trials)) - median(totals(emptyTrials)),
      leastOverEmptyMs: minimum(totals(trials)) - minimum(totals(emptyTrials)),
      initMs: of(({ initCpuMs }) => initCpuMs),
      firstMs: of(({ steps: [first] }) => first?.cpuMs),
      secondMs: of(({ steps: [, second] }) => second?.cpuMs),
      wallMs: of(({ initWallMs, steps: [first] }) => initWallMs + (first?.wallMs ?? Number.NaN)),
      rssMb: rss(trials) - rss(emptyTrials),
    };
  });
}

function table(title: string, figures: readonly Cold[], { subjects }: Bench): Table {
  const typical = figures.find(({ subject }) => subject === subjects.typical)?.overEmptyMs ?? Number.NaN;
  return {
    title,
    columns: [
      '',
      'CPU over empty, ms',
      '× typical peer',
      'load',
      'first',
      'second',
      'wall, ms',
      'RSS over empty, MB',
      'kB loaded',
    ],
    rows: figures.map(({ subject, ...figure }) => [
      subject.label,
      figure.overEmptyMs.toFixed(1),
      (figure.overEmptyMs / typical).toFixed(2),
      figure.initMs.toFixed(1),
      figure.firstMs.toFixed(1),
      figure.secondMs.toFixed(1),
      figure.wallMs.toFixed(0),
      figure.rssMb.toFixed(1),
      subject.loadedBytes === undefined ? '–' : (subject.loadedBytes / 1000).toFixed(0),
    ]),
  };
}

function goalsOf({ subjects }: Bench, one: readonly Cold[], ten: readonly Cold[]): Goal[] {
  const ratio = (figures: readonly Cold[], to: Subject) => {
    const of = (subject: Subject) => figures.find((cold) => cold.subject === subject)?.overEmptyMs ?? Number.NaN;
    return of(subjects.product) / of(to);
  };
  const { typical, modern, defaults } = subjects;
  return [
    { figure: 'cold CPU over empty, one message, against the typical peer', goal: 0.26, measured: ratio(one, typical) },
    { figure: 'the same against the modern peer', goal: 0.4, measured: ratio(one, modern) },
    { figure: 'cold CPU, batch of ten, against the typical peer', goal: 0.22, measured: ratio(ten, typical) },
    { figure: 'the same against the modern peer', goal: 0.3, measured: ratio(ten, modern) },
    { figure: "the same source with esbuild's defaults, one message", goal: 0.65, measured: ratio(one, defaults) },
  ];
}

/** Several credentials are fetched when they are needed: the same bundle then is the lazy one. */
async function initAgainstLazy(bench: Bench, rounds: number): Promise<{ table: Table; goal: Goal }> {
  const { product } = bench.subjects;
  const url = bench.world.endpoint;
  const queue = 'orders';
  const destinations = (others: object) => ({
    DESTINATIONS: JSON.stringify({ orders: { secret: 'cpi/orders', url, queue }, ...others }),
  });
  const steps = [{ kind: 'invoke', records: 1 }] as const;
  const other = { invoices: { secret: 'cpi/invoices', url, queue: 'invoices' } };
  const variants = [
    { name: 'init', run: () => bench.trial(product, steps, { environment: destinations({}) }) },
    { name: 'lazy', run: () => bench.trial(product, steps, { environment: destinations(other) }) },
  ];
  const results = await inTurns(variants, rounds, bench.progress.step);
  const figures = (name: string) => {
    const trials = results.get(name) ?? [];
    return {
      init: median(trials.map(({ initCpuMs }) => initCpuMs)),
      first: median(trials.map(({ steps: [first] }) => first?.cpuMs ?? Number.NaN)),
    };
  };
  const [eager, lazy] = [figures('init'), figures('lazy')];
  return {
    table: {
      title: 'Secret and token during init (one credential), against on first need (several)',
      columns: ['', 'load, CPU ms', 'first invocation, CPU ms'],
      rows: [
        ['one credential: fetched during init', eager.init.toFixed(1), eager.first.toFixed(1)],
        ['two credentials: on first need', lazy.init.toFixed(1), lazy.first.toFixed(1)],
      ],
    },
    goal: {
      figure: 'first invocation after init has fetched secret and token, against lazy',
      goal: 0.1,
      measured: eager.first / lazy.first,
    },
  };
}

function plot(name: string, title: string, figures: readonly Cold[]) {
  const bars = figures
    .filter(({ subject }) => subject.kind !== 'empty')
    .map(({ subject, overEmptyMs }) => ({
      label: subject.label,
      value: overEmptyMs,
      isOurs: subject.kind === 'product',
    }));
  return { name, title, unit: 'ms', bars };
}
