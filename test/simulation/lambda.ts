/**
 * One function of Lambda: environments that are started when none is free, reused in any order, frozen between
 * invocations, ended after idling or by force. Who invokes it, and what is made of the reply, is for the world.
 */
import type { Handler } from './bundle.ts';
import type { Environment } from './environment.ts';
import type { Scheduler } from './scheduler.ts';

/** One invocation, for those who watch. Times are epoch milliseconds. */
export interface Invocation {
  readonly number: number;
  readonly environment: string;
  readonly event: unknown;
  /** When Lambda was asked: before a cold start. */
  readonly askedAt: number;
  startedAt: number;
  readonly timeoutMs: number;
  end: 'replied' | 'threw' | 'killed' | 'timed out' | 'no start' | undefined;
  endedAt: number | undefined;
  /** As its JSON says. */
  reply: unknown;
}

export type InvokeResult =
  | { readonly ok: true; readonly payload: unknown; readonly invocation: Invocation }
  | {
      readonly ok: false;
      readonly errorType: string;
      readonly errorMessage: string;
      readonly invocation: Invocation;
    };

export interface LambdaOptions {
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly timeoutMs: number;
  /** After so long without an invocation an environment is gone. */
  readonly idleMs: number;
  /** More invocations at once than this are refused. */
  readonly maxConcurrency: number;
  readonly start: (onDeath: () => void) => Environment;
  readonly onStart: (invocation: Invocation, environment: Environment) => void;
  readonly onEnd: (invocation: Invocation, cause?: unknown) => void;
}

export interface Lambda {
  invoke(event: unknown): Promise<InvokeResult>;
  /** Kills an environment that is at work, as it lets out the n-th thing from now; false if none is. */
  kill(pick: number, atLeave: number): boolean;
  /** Ends every environment that is not at work. */
  recycle(): void;
  /** Whether an invocation runs or begins. */
  readonly isAtWork: boolean;
}

interface Slot {
  readonly environment: Environment;
  busy: boolean;
  idleSince: number;
  onDeath: () => void;
}

export function createLambda(options: LambdaOptions): Lambda {
  const { scheduler, random, timeoutMs, idleMs, maxConcurrency, start, onStart, onEnd } = options;
  let slots: Slot[] = [];
  let number = 0;

  function open(): Slot {
    const slot: Partial<Slot> & { busy: boolean } = { busy: true, onDeath: () => undefined };
    const environment = start(() => {
      slots = slots.filter((other) => other !== slot);
      slot.onDeath?.();
    });
    const opened = Object.assign(slot, { environment, idleSince: 0 }) as Slot;
    slots.push(opened);
    return opened;
  }

  function end(slot: Slot): void {
    slot.environment.gate.kill();
  }

  function free(): Slot | undefined {
    for (const slot of slots) if (!slot.busy && scheduler.now() - slot.idleSince > idleMs) end(slot);
    const idle = slots.filter(({ busy }) => !busy);
    return idle[Math.floor(random() * idle.length)];
  }

  function refused(event: unknown): InvokeResult {
    const at = scheduler.now();
    const never = { environment: 'none', event, askedAt: at, startedAt: at, timeoutMs, endedAt: at, reply: undefined };
    const invocation: Invocation = { ...never, number: 0, end: 'no start' };
    return { ok: false, errorType: 'TooManyRequestsException', errorMessage: 'Rate Exceeded.', invocation };
  }

  async function invoke(event: unknown): Promise<InvokeResult> {
    const warm = free();
    if (warm === undefined && slots.length >= maxConcurrency) return refused(event);
    const slot = warm ?? open();
    slot.busy = true;
    const { environment } = slot;
    number += 1;
    const invocation: Invocation = {
      number,
      environment: environment.name,
      event,
      askedAt: scheduler.now(),
      startedAt: scheduler.now(),
      timeoutMs,
      end: undefined,
      endedAt: undefined,
      reply: undefined,
    };
    return new Promise((resolve) => {
      const startMs = warm === undefined ? 200 + Math.floor(random() * 600) : 1;

      function over(how: NonNullable<Invocation['end']>, cause?: unknown): void {
        if (invocation.end !== undefined) return;
        invocation.end = how;
        invocation.endedAt = scheduler.now();
        cancel();
        slot.onDeath = () => undefined;
        if (how === 'timed out') end(slot);
        environment.gate.freeze();
        onEnd(invocation, cause);
        slot.busy = false;
        slot.idleSince = scheduler.now();
        const error = { errorType: `Simulated.${how}`, errorMessage: how };
        resolve(
          how === 'replied' ? { ok: true, payload: invocation.reply, invocation } : { ok: false, ...error, invocation },
        );
      }

      let cancel = () => undefined as unknown;
      slot.onDeath = () => over('killed');
      const begin = () => {
        if (invocation.end !== undefined) return;
        invocation.startedAt = scheduler.now();
        cancel = scheduler.after(timeoutMs, () => over('timed out'));
        environment.current = invocation;
        onStart(invocation, environment);
        environment.gate.thaw(() => run(environment.handler), random() < 0.5);
      };
      // An environment that is warm was prepared long ago.
      scheduler.after(startMs, () => {
        environment.prepared.then(begin);
      });

      function run(handler: Handler): void {
        const deadlineAt = invocation.startedAt + timeoutMs;
        const context = {
          awsRequestId: `request-${number}`,
          functionName: 'relay',
          functionVersion: '$LATEST',
          memoryLimitInMB: '256',
          invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:relay',
          getRemainingTimeInMillis: () => Math.max(0, deadlineAt - scheduler.now()),
        };
        Promise.resolve()
          .then(() => handler(event, context))
          .then(
            (reply) => {
              if (invocation.end !== undefined || !environment.gate.leave()) return;
              invocation.reply = JSON.parse(JSON.stringify(reply ?? null));
              over('replied');
            },
            (error: unknown) => {
              if (invocation.end === undefined && environment.gate.leave()) over('threw', error);
            },
          );
      }
    });
  }

  return {
    invoke,
    get isAtWork() {
      return slots.some(({ busy }) => busy);
    },
    kill(pick, atLeave) {
      const busy = slots.filter((slot) => slot.busy && slot.environment.gate.state === 'running');
      const chosen = busy[Math.floor(pick * busy.length)];
      chosen?.environment.gate.killAtLeave(atLeave);
      return chosen !== undefined;
    },
    recycle() {
      for (const slot of slots.filter(({ busy }) => !busy)) end(slot);
    },
  };
}
