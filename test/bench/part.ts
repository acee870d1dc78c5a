/** What a part of the bench hands back, and what it gets to work with; how it is printed is for `report.ts`. */
import type { Subjects } from './subject.ts';
import type { RunTrial } from './trial.ts';
import type { World } from './world.ts';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A figure and what it must not exceed. */
export interface Goal {
  readonly figure: string;
  readonly goal: number;
  readonly measured: number;
  /** Of both. Default: a ratio. */
  readonly unit?: string;
}

export interface Plot {
  /** Name of the file, without `.svg`. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly { readonly label: string; readonly value: number; readonly isOurs: boolean }[];
}

export interface PartResult {
  readonly title: string;
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
  readonly plots?: readonly Plot[];
  /** What must be known to read the tables. */
  readonly notes: readonly string[];
}

export interface Bench {
  readonly subjects: Subjects;
  readonly world: World;
  readonly trial: RunTrial;
  /** For bundles of a part's own. */
  readonly folder: string;
  /** Multiplies every number of rounds; 1 in a full run. */
  readonly effort: number;
  /** Tells how many steps a part will have, then each one that is done. */
  readonly progress: { expect(steps: number): void; step(): void };
}

/** At least one. */
export function roundsOf(bench: Pick<Bench, 'effort'>, full: number): number {
  return Math.max(1, Math.round(full * bench.effort));
}
