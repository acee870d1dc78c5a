/**
 * How the cost of a message and the memory grow: with the size of the batch, the number of destinations, the size of
 * the payload, payloads of 40 MB in S3, and simultaneous invocations in one environment.
 */
import { join } from 'node:path';
import { type Bench, type Goal, type PartResult, roundsOf, type Table } from '../part.ts';
import { inTurns, median, minimum } from '../rounds.ts';
import { storePayload } from '../stored-payload.ts';
import { type Subject, withDestinationsFile } from '../subject.ts';
import type { Step, Trial, TrialOptions } from '../trial.ts';

const ROUNDS = 3;
const WARM_UP_MS = 2_000;
const MB = 1_048_576;

interface Case {
  readonly name: string;
  readonly subject: Subject;
  readonly step: Step;
  readonly options?: TrialOptions;
}

interface Figures {
  readonly name: string;
  readonly leastCpuUs: number;
  readonly medianCpuUs: number;
  readonly perSecond: number;
  readonly peakRssMb: number;
}

export async function scale(bench: Bench): Promise<PartResult> {
  const { product } = bench.subjects;
  const batches = await measure(bench, batchCases(product));
  const destinations = await measure(bench, await destinationCases(bench));
  const payloads = await measure(bench, payloadCases(product));
  const stored = await storedPayloads(bench);
  const parallel = await measure(bench, parallelCases(product));
  const growth = (figures: readonly Figures[], from: number, to: number) =>
    (figures[to]?.leastCpuUs ?? Number.NaN) / (figures[from]?.leastCpuUs ?? Number.NaN);
  const goals: Goal[] = [
    { figure: 'cost of a message with 10 destinations against 1', goal: 1.1, measured: growth(destinations, 0, 1) },
    { figure: 'cost of a message with 100 destinations against 1', goal: 1.1, measured: growth(destinations, 0, 2) },
    {
      figure: 'cost of a message at 64 simultaneous invocations against 1',
      goal: 1.1,
      measured: growth(parallel, 0, 3),
    },
  ];
  return {
    title: 'Scale',
    tables: [
      table('Size of the batch, 2 KB a message', batches),
      table('Destinations, each with a secret, a token and a queue of its own; batches of ten', destinations),
      table('Size of the payload', payloads),
      table('Payloads of 40 MB in S3, in a function of 512 MB', stored),
      table('Simultaneous invocations in one environment, batches of ten', parallel),
    ],
    goals,
    notes: [
      `The product alone; each process has worked for ${WARM_UP_MS / 1000} seconds before. "Peak RSS" is the most memory that the process ever had, Node itself included (about 48 MB), with no limit on its heap.`,
      'Payloads in S3 are streamed: in flight are at most a quarter of the memory of the function, here three payloads of 40 MB, and of each only what the sockets hold.',
    ],
  };
}

function batchCases(subject: Subject): Case[] {
  return [1, 10, 100, 1_000, 5_000, 10_000].map((records) => {
    const step = { kind: 'repeat', records, times: Math.max(1, Math.round(10_000 / records)) } as const;
    return { name: records.toLocaleString('en'), subject, step };
  });
}

async function destinationCases({ subjects, world, folder }: Bench): Promise<Case[]> {
  return Promise.all(
    [1, 10, 100].map(async (count) => {
      const names = Array.from({ length: count }, (_, index) => `destination-${index + 1}`);
      const settings = names.map((name) => [name, { secret: `cpi/${name}`, url: world.endpoint, queue: name }]);
      const at = join(folder, `destinations-${count}`);
      const subject = await withDestinationsFile(subjects.product, at, Object.fromEntries(settings));
      const step = { kind: 'repeat', records: 10, times: 800, queues: names } as const;
      const options = { environment: { DESTINATIONS: '@destinations.json' } };
      return { name: String(count), subject, step, options };
    }),
  );
}

function payloadCases(subject: Subject): Case[] {
  const sizes = [
    { name: '1 KB', bytes: 1024, records: 100, times: 60 },
    { name: '10 KB', bytes: 10_240, records: 100, times: 40 },
    { name: '100 KB', bytes: 102_400, records: 10, times: 60 },
    { name: '1 MB', bytes: MB, records: 1, times: 80 },
  ];
  return sizes.map(({ name, ...size }) => {
    const step = { kind: 'repeat', ...size } as const;
    return { name, subject, step };
  });
}

function parallelCases(subject: Subject): Case[] {
  return [1, 4, 16, 64].map((parallel) => {
    const step = { kind: 'repeat', records: 10, times: 800, parallel } as const;
    return { name: String(parallel), subject, step };
  });
}

async function storedPayloads(bench: Bench): Promise<Figures[]> {
  const stored = await storePayload();
  try {
    const settings = { secret: 'cpi/orders', url: bench.world.endpoint, payloadBuckets: [stored.bucket] };
    const environment = {
      DESTINATIONS: JSON.stringify({ orders: settings }),
      AWS_ENDPOINT_URL_S3: stored.url,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
    };
    const cases = [1, 10].map((records) => {
      const step = { kind: 'repeat', records, times: 1, payload: stored.payload } as const;
      const name = `${records} in a batch`;
      return { name, subject: bench.subjects.product, step, options: { environment } };
    });
    return await measure(bench, cases, 2);
  } finally {
    await stored.stop();
  }
}

async function measure(bench: Bench, cases: readonly Case[], full = ROUNDS): Promise<Figures[]> {
  const rounds = roundsOf(bench, full);
  bench.progress.expect(rounds * cases.length);
  const variants = cases.map(({ name, subject, step, options }) => ({
    name,
    run: () => bench.trial(subject, [{ ...step, kind: 'warmUp', ms: WARM_UP_MS }, step], options),
  }));
  const results = await inTurns(variants, rounds, bench.progress.step);
  return cases.map(({ name }) => figuresOf(name, results.get(name) ?? []));
}

function figuresOf(name: string, trials: readonly Trial[]): Figures {
  const last = trials.map(({ steps }) => steps.at(-1));
  const cpu = last.map((step) => step?.cpuUsPerMessage ?? Number.NaN);
  return {
    name,
    leastCpuUs: minimum(cpu),
    medianCpuUs: median(cpu),
    perSecond: median(last.map((step) => ((step?.messages ?? 0) * 1000) / (step?.wallMs ?? Number.NaN))),
    peakRssMb: median(trials.map(({ maxRssMb }) => maxRssMb)),
  };
}

function table(title: string, figures: readonly Figures[]): Table {
  const digits = (value: number) => value.toFixed(value < 1_000 ? 1 : 0);
  return {
    title,
    columns: ['', 'CPU µs/message, least', 'median', 'messages/s', 'peak RSS, MB'],
    rows: figures.map(({ name, leastCpuUs, medianCpuUs, perSecond, peakRssMb }) => [
      name,
      digits(leastCpuUs),
      digits(medianCpuUs),
      digits(perSecond),
      peakRssMb.toFixed(0),
    ]),
  };
}
