/**
 * The event source mapping between a queue and a function: it polls, batches, invokes, and deletes what the function
 * did. It reports partial batch failures, so polling does not slow down when some fail. A throttled invocation counts
 * as failed here, while AWS tries it again as long as the messages are hidden.
 *
 * @see AWS: Lambda Developer Guide "Using Lambda with Amazon SQS", "Creating and configuring an Amazon SQS event source
 * mapping", "Configuring scaling behavior for SQS event source mappings"
 */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { type SetTimer, setRealTimer } from '../../facts/timer.ts';
import { createChanges, type WaitOptions } from '../../facts/waiting.ts';
import { AwsError } from '../aws-json.ts';
import { onceReceivable, type Queue } from '../sqs/sqs.ts';
import { createBatchRunner, type InvokeResult, type TriggerInvocation } from './batch.ts';
import { toRecord } from './event.ts';

export type { InvokeResult, TriggerInvocation } from './batch.ts';

export interface QueueTriggerOptions {
  readonly queue: Queue;
  readonly invoke: (event: SQSEvent) => Promise<InvokeResult>;
  /** 1 to 10,000; at most 10 on FIFO, and without a batching window. Default 10. */
  readonly batchSize?: number;
  /** How long records are gathered for a batch, 0 to 300; 0 on FIFO. Default 0: what is there. */
  readonly maximumBatchingWindowSeconds?: number;
  /** Invocations at once, 2 to 1,000. Default 2. */
  readonly maximumConcurrency?: number;
  /** Default true. A disabled trigger polls nothing until `resume`. */
  readonly enabled?: boolean;
  readonly region?: string;
  /** Epoch ms; the queue's clock. Default `Date.now`. */
  readonly now?: () => number;
  readonly setTimer?: SetTimer;
  /** Told when an invocation begins and when it is over. */
  readonly onEvent?: (event: TriggerEvent) => void;
}

/** Ids are SQS's own, times epoch ms. */
export type TriggerEvent = { readonly at: number; readonly queue: string; readonly batch: readonly string[] } & (
  | { readonly what: 'begun' }
  /** `invocation` is its request id. */
  | { readonly what: 'over'; readonly kept: readonly string[]; readonly error?: string; readonly invocation?: string }
);

export interface QueueTrigger {
  readonly invocations: readonly TriggerInvocation[];
  /** Invocations under way. */
  readonly running: number;
  /** False while it is paused. */
  readonly polling: boolean;
  /** Stops polling; what runs goes on. */
  pause(): void;
  resume(): void;
  /** Stops polling for good; resolves when the last invocation is over and its messages are dealt with. */
  stop(): Promise<void>;
  /** Resolves when `count` invocations are over. @throws Error after `timeoutMs`, default 10,000 */
  waitForInvocations(count: number, options?: WaitOptions): Promise<void>;
  /** Resolves when nothing runs or is gathered, and the queue gave nothing at the last poll. @throws Error as above */
  waitUntilIdle(options?: WaitOptions): Promise<void>;
}

/** @throws RangeError for a setting that AWS refuses */
export function startQueueTrigger(options: QueueTriggerOptions): QueueTrigger {
  const { queue, invoke, batchSize = 10, maximumBatchingWindowSeconds = 0, maximumConcurrency = 2 } = options;
  const { now = Date.now, setTimer = setRealTimer, region = queue.arn.split(':')[3] ?? '' } = options;
  checkSettings(queue, batchSize, maximumBatchingWindowSeconds, maximumConcurrency);
  const windowMs = maximumBatchingWindowSeconds * 1000;
  const invocations: TriggerInvocation[] = [];
  const changes = createChanges();
  const runBatch = createBatchRunner({ queue, invoke, batchSize, now, begins, over });
  let polling = options.enabled ?? true;
  let running = 0;
  let scheduled = false;
  let gathered: SQSRecord[] = [];
  let windowEndsAt = Number.POSITIVE_INFINITY;
  let stopWaiting: () => void = () => undefined;

  /** Polls soon, once: what changed the queue is still under way when it tells. */
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      poll();
    });
  }

  function poll(): void {
    stopWaiting();
    if (polling) while (running < maximumConcurrency && gather()) run();
    if (!polling && gathered.length > 0 && running < maximumConcurrency) run();
    if (polling && running < maximumConcurrency) wait();
    changes.announce();
  }

  /** True when a batch is due: full, or its window is over. */
  function gather(): boolean {
    while (gathered.length < batchSize) {
      const received = receive(Math.min(10, batchSize - gathered.length));
      if (received.length === 0) break;
      if (gathered.length === 0) windowEndsAt = now() + windowMs;
      gathered.push(...received);
    }
    return gathered.length >= batchSize || (gathered.length > 0 && now() >= windowEndsAt);
  }

  function receive(maxMessages: number): SQSRecord[] {
    try {
      return queue.receive({ maxMessages }).map((message) => toRecord(message, queue.arn, region));
    } catch (error) {
      // Too many messages in flight: the poller goes on when some are gone.
      if (error instanceof AwsError && error.queryCode === 'OverLimit') return [];
      throw error;
    }
  }

  function wait(): void {
    const callOffQueue = onceReceivable(queue, now, setTimer, schedule);
    const callOffWindow =
      gathered.length === 0 ? () => undefined : setTimer(schedule, Math.max(0, windowEndsAt - now()));
    stopWaiting = () => {
      callOffQueue();
      callOffWindow();
    };
  }

  function begins(batch: readonly string[]): void {
    options.onEvent?.({ at: now(), queue: queue.name, what: 'begun', batch });
  }

  function over(invocation: TriggerInvocation): void {
    invocations.push(invocation);
    const { batch, kept, error, reply } = invocation;
    options.onEvent?.({
      at: now(),
      queue: queue.name,
      what: 'over',
      batch,
      kept,
      ...(error === undefined ? {} : { error }),
      ...(reply.requestId === undefined ? {} : { invocation: reply.requestId }),
    });
    changes.announce();
  }

  function run(): void {
    const records = gathered;
    gathered = [];
    running += 1;
    runBatch(records).then(
      () => {
        running -= 1;
        schedule();
      },
      // `invoke` never rejects by its contract, so this is a bug of the landscape.
      (error) =>
        queueMicrotask(() => {
          throw error;
        }),
    );
  }

  function pause(): void {
    polling = false;
    schedule();
  }

  function resume(): void {
    polling = true;
    schedule();
  }

  async function stop(): Promise<void> {
    pause();
    const timeoutMs = 2 ** 31 - 1;
    await changes.until('no invocation runs', () => running === 0 && gathered.length === 0, { timeoutMs });
  }

  schedule();
  return {
    invocations,
    get running() {
      return running;
    },
    get polling() {
      return polling;
    },
    pause,
    resume,
    stop,
    waitForInvocations: (count, waiting) =>
      changes.untilCount(count, 'invocations that are over', () => invocations.length, waiting),
    waitUntilIdle: (waiting) =>
      changes.until('the trigger is idle', () => running === 0 && gathered.length === 0 && !scheduled, waiting),
  };
}

/** AWS: Lambda API Reference "CreateEventSourceMapping". */
function checkSettings(queue: Queue, batchSize: number, windowSeconds: number, maximumConcurrency: number): void {
  const check = (name: string, value: number, least: number, most: number) => {
    if (value < least || value > most) throw new RangeError(`${name} must be between ${least} and ${most}: ${value}`);
  };
  check('batchSize', batchSize, 1, queue.fifo ? 10 : 10_000);
  check('maximumBatchingWindowSeconds', windowSeconds, 0, queue.fifo ? 0 : 300);
  check('maximumConcurrency', maximumConcurrency, 2, 1000);
  if (batchSize > 10 && windowSeconds < 1) {
    throw new RangeError('maximumBatchingWindowSeconds must be at least 1 for a batchSize of more than 10');
  }
}
