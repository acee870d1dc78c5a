/**
 * One trial: a fresh process of a subject that goes through some steps, measures itself, and ends. A record that was
 * not delivered is an error, unless the part expects it: work that was not done is not measured.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Counts } from './servers/services.ts';
import type { Subject } from './subject.ts';
import type { World } from './world.ts';

/** A step of `lambda-process.mjs`; its kinds and fields are described there. */
export type Step = {
  readonly kind: 'invoke' | 'warmUp' | 'repeat' | 'young' | 'turns' | 'storm' | 'day' | 'control';
} & Readonly<Record<string, unknown>>;

export interface StepResult extends Partial<Counts> {
  /** Records that were not delivered. */
  readonly failed?: number;
  readonly cpuMs?: number;
  /** The kernel's part of it. */
  readonly systemCpuMs?: number;
  readonly wallMs?: number;
  readonly rssMb?: number;
  readonly messages?: number;
  readonly cpuUsPerMessage?: number;
  /** Of each invocation of a young process, per message. */
  readonly cpuUs?: readonly number[];
  /** Of two bundles in turns, per message: the trial's own, and the other. */
  readonly pairs?: readonly (readonly [number, number])[];
  /** Of the process since it began. */
  readonly totalCpuMs: number;
}

export interface Trial {
  readonly initCpuMs: number;
  readonly initWallMs: number;
  readonly maxRssMb: number;
  /** Of all files that were loaded from the disk, where it was asked for. */
  readonly loadedBytes: number;
  readonly steps: readonly StepResult[];
}

export interface TrialOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly nodeFlags?: readonly string[];
  /** Records may fail: the part counts them. Default false. */
  readonly mayFail?: boolean;
  readonly timeoutMs?: number;
  /** Notes what is loaded, which costs time. Default false. */
  readonly trace?: boolean;
  /** The clock can be turned on by a step. Default false. */
  readonly simulatedClock?: boolean;
}

export type RunTrial = (subject: Subject, steps: readonly Step[], options?: TrialOptions) => Promise<Trial>;

/** @param world the servers and what a process needs to know of them */
export function createTrials(world: World): RunTrial {
  return async function runTrial(subject, steps, options = {}) {
    const { environment = {}, nodeFlags = [], mayFail = false, timeoutMs = 120_000, trace, simulatedClock } = options;
    const child = spawn(process.execPath, [...nodeFlags, join(import.meta.dirname, 'lambda-process.mjs')], {
      env: {
        ...world.environment,
        ...environment,
        BENCH_PLAN: JSON.stringify({ bundle: subject.bundle, steps, trace, simulatedClock }),
      },
      // Log lines go where they cost no other process anything.
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const results = read(child.stdio[3] as Readable);
    const complaint = read(child.stderr as Readable);
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    clearTimeout(timer);
    if (code !== 0)
      throw new Error(`${subject.name}: its process ended with ${code}\n${(await complaint).slice(-2000)}`);
    const trial = JSON.parse(await results) as Trial;
    const failed = trial.steps.reduce((sum, step) => sum + (step.failed ?? 0), 0);
    if (failed > 0 && !mayFail) throw new Error(`${subject.name}: ${failed} records were not delivered`);
    return trial;
  };
}

async function read(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}
