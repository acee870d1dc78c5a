/**
 * One execution environment of Lambda: the bundle, loaded onto simulated modules, clock and randomness, behind a gate.
 * It runs one invocation at a time, is frozen between them, and may be killed at any moment. When one is started or
 * ended is for `lambda.ts`.
 */
import * as asyncHooks from 'node:async_hooks';
import * as buffer from 'node:buffer';
import * as crypto from 'node:crypto';
import * as events from 'node:events';
import * as fs from 'node:fs';
import * as util from 'node:util';
import { type AwsOptions, createAwsModules } from './aws-client.ts';
import type { Bundle, Entry, Handler } from './bundle.ts';
import { createGate, type Gate } from './gate.ts';
import type { Caller, Network } from './network.ts';
import { createNodeHttp } from './node-http.ts';
import type { Scheduler } from './scheduler.ts';

export interface EnvironmentOptions {
  readonly name: string;
  readonly bundle: Bundle;
  readonly entry: Entry;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly aws: AwsOptions;
  readonly random: () => number;
  /** How far its clock is ahead, in milliseconds. */
  readonly clockAheadMs: number;
  readonly variables: Readonly<Record<string, string>>;
  /** Told every line that it writes. */
  readonly log: (line: string) => void;
  readonly onDeath: () => void;
}

export interface Environment {
  readonly name: string;
  readonly gate: Gate;
  /** What it is at, or was at last; shared with whatever it calls. */
  current: object | undefined;
  readonly handler: Handler;
  /** Resolves when its initialization is over. */
  readonly prepared: Promise<unknown>;
}

export function createEnvironment(options: EnvironmentOptions): Environment {
  const { name, bundle, entry, scheduler, network, aws, random, clockAheadMs, variables, log, onDeath } = options;
  const gate = createGate(scheduler, onDeath);
  const now = () => scheduler.now() + clockAheadMs;
  const environment = { name, gate, current: undefined as object | undefined };
  const caller: Caller = { environment: name, invocation: () => environment.current };
  const write = (line: unknown) => {
    if (gate.leave()) log(String(line));
  };
  const timers = {
    setTimeout: (callback: () => void, ms = 0) => gate.after(ms, callback),
    setImmediate: (callback: () => void) => gate.after(0, callback),
    clearTimeout: (cancel: unknown) => {
      if (typeof cancel === 'function') cancel();
    },
  };
  const console = { log: write, info: write, warn: write, error: write, debug: write, trace: write };
  const stdout = {
    write(text: string) {
      for (const line of text.split('\n')) if (line !== '') write(line);
      return true;
    },
  };
  const modules: Readonly<Record<string, unknown>> = {
    ...createAwsModules(aws, gate, caller),
    ...createNodeHttp(network, gate, caller),
    'node:timers': timers,
    'node:console': {
      Console: class {
        constructor() {
          Object.assign(this, console);
        }
      },
    },
    'node:crypto': { ...crypto, randomUUID: () => randomUuid(random) },
    'node:async_hooks': asyncHooks,
    'node:buffer': buffer,
    'node:events': events,
    'node:fs': fs,
    'node:util': util,
  };
  const loaded = bundle.load(entry, {
    require(wanted) {
      const found = modules[wanted];
      if (found === undefined) throw new Error(`the relay asks for ${wanted}, which the simulation does not have`);
      return found;
    },
    Date: simulatedDate(now),
    performance: { now },
    random,
    ...timers,
    // One that is killed has no time for what it would do at its exit.
    process: { env: { ...variables }, stdout, stderr: stdout, emitWarning: write, on: () => undefined },
    console,
  });
  return Object.assign(environment, loaded);
}

function simulatedDate(now: () => number): typeof Date {
  class SimulatedDate extends Date {
    constructor(...values: [] | [string | number | Date]) {
      super(values.length === 0 ? now() : values[0]);
    }
    static override now(): number {
      return now();
    }
  }
  return SimulatedDate as typeof Date;
}

function randomUuid(random: () => number): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
