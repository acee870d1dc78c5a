/**
 * What each fast path saves: the product with and without it. Cold starts in pairs of fresh processes; warm messages in
 * one process that has loaded both bundles and takes turns, so that what else the machine does falls on both alike.
 */
import { join } from 'node:path';
import { build } from '../../../infra/build/build.ts';
import { type Bench, type PartResult, roundsOf } from '../part.ts';
import { median } from '../rounds.ts';
import type { Subject } from '../subject.ts';
import { VARIANTS } from '../without/variants.ts';

const COLD_PAIRS = 60;
const WARM_PROCESSES = 3;
const WARM_UP_MS = 3_000;
/** Of each bundle, in each process. */
const TURNS = 60;
const BATCHES = 20;
const RECORDS = 10;

interface Pair {
  readonly product: number;
  readonly without: number;
}

export async function parts(bench: Bench): Promise<PartResult> {
  const pairs = roundsOf(bench, COLD_PAIRS);
  const processes = roundsOf(bench, WARM_PROCESSES);
  const variants = Object.entries(VARIANTS);
  bench.progress.expect(variants.length * (pairs + processes));
  const rows: string[][] = [];
  for (const [index, [name, adapt]] of variants.entries()) {
    const outdir = join(bench.folder, `without-${index}`);
    const [queue] = await build({ outdir, sourcemap: false, entryPoints: ['functions/queue/queue.ts'], adapt });
    const loadedBytes = queue?.loadedBytes ?? Number.NaN;
    const without = { ...bench.subjects.product, name, bundle: join(outdir, 'queue.mjs'), loadedBytes };
    const cold = await coldPairs(bench, without, pairs);
    const warm = await warmTurns(bench, without, processes);
    const more = loadedBytes - (bench.subjects.product.loadedBytes ?? Number.NaN);
    rows.push([name, ...figures(cold), ...figures(warm), (more / 1000).toFixed(1)]);
  }
  return {
    title: 'What each fast path saves',
    tables: [
      {
        title: 'CPU of a cold start, and of a warm message in batches of ten',
        columns: ['without', 'cold, ms more', 'ratio', 'warm, µs more', 'ratio', 'kB more'],
        rows,
      },
    ],
    goals: [],
    notes: [
      `Cold: medians of ${pairs} pairs of processes, from the start of the process to the first message delivered; the ratio is of all CPU, Node's own start included. Warm: medians of ${processes} × ${TURNS} pairs of turns of ${BATCHES} batches, after ${WARM_UP_MS / 1000} s.`,
      'The first row says how much of a difference is chance.',
    ],
  };
}

async function coldPairs(bench: Bench, without: Subject, count: number): Promise<Pair[]> {
  const pairs: Pair[] = [];
  const cpuMs = async (subject: Subject) => {
    const { steps } = await bench.trial(subject, [{ kind: 'invoke', records: 1 }]);
    return steps[0]?.totalCpuMs ?? Number.NaN;
  };
  for (let round = 0; round < count; round += 1) {
    const [first, second] = round % 2 === 0 ? [bench.subjects.product, without] : [without, bench.subjects.product];
    const [one, other] = [await cpuMs(first), await cpuMs(second)];
    pairs.push(first === without ? { without: one, product: other } : { product: one, without: other });
    bench.progress.step();
  }
  return pairs;
}

/** Every other process has the bundles the other way round: the one that is loaded first may be better off. */
async function warmTurns(bench: Bench, without: Subject, count: number): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round < count; round += 1) {
    const [first, second] = round % 2 === 0 ? [bench.subjects.product, without] : [without, bench.subjects.product];
    const step = { kind: 'turns', other: second.bundle, records: RECORDS, batches: BATCHES, turns: TURNS } as const;
    const { steps } = await bench.trial(first, [{ ...step, warmUpMs: WARM_UP_MS }]);
    for (const [one, other] of steps[0]?.pairs ?? []) {
      pairs.push(first === without ? { without: one, product: other } : { product: one, without: other });
    }
    bench.progress.step();
  }
  return pairs;
}

function figures(pairs: readonly Pair[]): string[] {
  const more = median(pairs.map(({ product, without }) => without - product));
  const ratio = median(pairs.map(({ product, without }) => without / product));
  return [more.toFixed(1), ratio.toFixed(3)];
}
