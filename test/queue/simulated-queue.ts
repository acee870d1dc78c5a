/**
 * A queue's route in simulated time: the real relay with an endpoint that takes a while and answers as the test says,
 * so that order, concurrency and the end of the time can be watched. Everything that happens is written down.
 */

import { startDeadline, startReserve } from '../../functions/deadline.ts';
import { RelayError } from '../../functions/error.ts';
import type { QueuedMessage } from '../../functions/message/queued.ts';
import type { Kept } from '../../functions/queue/backoff.ts';
import { deliverBatch, type QueueRoute } from '../../functions/queue/batch.ts';
import { type Breaker, createBreaker } from '../../functions/queue/breaker.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import type { Outcome } from '../../functions/relay/outcome.ts';
import type { AttemptLine } from '../../functions/telemetry/telemetry.ts';
import { warm } from '../../functions/warm/warm.ts';
import { answer as httpAnswer } from '../doubles/answer.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { createSimulatedTime } from '../doubles/time.ts';
import { tokenOf } from '../doubles/token.ts';
import { SENT_AT } from './queued.ts';

export interface SimulatedQueueOptions {
  readonly concurrency?: number;
  /** Status of the answer to a message; `hang` for none. Default 200. */
  readonly answer?: (messageId: string) => number | 'hang';
  /** Default 100. */
  readonly callMs?: (messageId: string) => number;
  /** Default 150,000. */
  readonly remainingMs?: number;
  /** Whether a letter gets into the dead-letter queue. Default true. */
  readonly writesLetters?: boolean;
  readonly retryAfterSeconds?: number;
  readonly breaker?: Breaker;
  /** Which messages a cut-over has taken to the new side, and that side's breaker. Default: there is no cut-over. */
  readonly cutover?: { isNew(messageId: string): boolean; readonly breaker?: Breaker };
}

export interface Delivery {
  readonly kept: Kept[];
  /** Ids in the order in which calls began. */
  readonly calls: string[];
  /** Ids in the order in which calls were answered. */
  readonly answered: string[];
  readonly deadLettered: string[];
  readonly lines: AttemptLine[];
  readonly postponed: { readonly side?: string; readonly messages: number; readonly reason: string }[];
  /** Most calls at once: in all, and of one group. */
  readonly mostAtOnce: number;
  readonly mostOfGroup: number;
  /** Milliseconds that it took. */
  readonly tookMs: number;
}

export interface SimulatedQueue {
  readonly breaker: Breaker;
  deliver(messages: readonly QueuedMessage[], options?: SimulatedQueueOptions): Promise<Delivery>;
}

const TOKEN = tokenOf('synthetic', { issuedAt: SENT_AT, expiresAt: SENT_AT + 3_600_000 });

/** Each batch begins a minute after the one before; `options` of one delivery go before those of the queue. */
export function createSimulatedQueue(defaults: SimulatedQueueOptions = {}): SimulatedQueue {
  const breaker = defaults.breaker ?? createBreaker();
  let startsAt = SENT_AT;

  async function deliver(messages: readonly QueuedMessage[], overrides: SimulatedQueueOptions = {}): Promise<Delivery> {
    const {
      concurrency = 10,
      answer = () => 200,
      callMs = () => 100,
      remainingMs = 150_000,
      ...how
    } = { ...defaults, ...overrides };
    const time = createSimulatedTime(startsAt);
    const groups = new Map(messages.map(({ messageId, group }) => [messageId, group]));
    const calls: string[] = [];
    const answered: string[] = [];
    const deadLettered: string[] = [];
    const lines: AttemptLine[] = [];
    const postponed: { messages: number; reason: string }[] = [];
    const open: string[] = [];
    let mostAtOnce = 0;
    let mostOfGroup = 0;

    function countOpen(id: string): void {
      const group = groups.get(id);
      const ofGroup = open.filter((other) => group !== undefined && groups.get(other) === group).length;
      mostAtOnce = Math.max(mostAtOnce, open.length);
      mostOfGroup = Math.max(mostOfGroup, ofGroup);
    }

    const exchange: QueueRoute['route'] = {
      token: createEndpointToken(warm({ load: async () => TOKEN }), time.now),
      now: time.now,
      adapter: {
        async exchange({ id }, _token, deadline, { onCall }) {
          onCall();
          calls.push(id);
          open.push(id);
          countOpen(id);
          try {
            const status = answer(id);
            const over = new Promise<never>((_, reject) =>
              deadline.signal.addEventListener('abort', () =>
                reject(new RelayError('DEADLINE', 'the time is over', { executed: 'unknown' })),
              ),
            );
            await Promise.race([status === 'hang' ? new Promise<void>(() => undefined) : time.sleep(callMs(id)), over]);
            answered.push(id);
            const headers = how.retryAfterSeconds === undefined ? {} : { 'retry-after': String(how.retryAfterSeconds) };
            return { reachedFlow: true, answer: httpAnswer(Number(status), '', headers) };
          } finally {
            open.splice(open.indexOf(id), 1);
          }
        },
      },
    };

    const writeDeadLetter: QueueRoute['writeDeadLetter'] = async ({ messageId }) => {
      await time.sleep(10);
      if (how.writesLetters === false) return false;
      deadLettered.push(messageId);
      return true;
    };
    const { cutover } = how;
    const queue: QueueRoute = {
      destination: 'orders',
      ...(cutover && {
        cutover: {
          sideOf: ({ messageId }) => (cutover.isNew(messageId) ? 'new' : 'old'),
          newSide: { route: exchange, breaker: cutover.breaker ?? createBreaker(), writeDeadLetter },
        },
      }),
      route: exchange,
      concurrency,
      breaker,
      pointedSender: () => () => Promise.reject(new RelayError('PAYLOAD_MISSING', 'nothing lies in S3 here')),
      changeVisibility: async () => 0,
      isGivenUp: ({ kind }: Outcome) => kind === 'rejected',
      writeDeadLetter,
    };
    const telemetry = quietTelemetry({
      attempted: (line: AttemptLine) => lines.push(line),
      postponed: ({ destination: _, ...line }) => postponed.push(line),
    });
    const deadline = startDeadline(remainingMs, time);
    const delivered = deliverBatch(messages, queue, {
      deadline,
      reserve: startReserve(remainingMs, time),
      telemetry,
      now: time.now,
      random: () => 0.5,
    });
    const kept = await time.run(delivered);
    const tookMs = time.now() - startsAt;
    startsAt = time.now() + 60_000;
    return { kept, calls, answered, deadLettered, lines, postponed, mostAtOnce, mostOfGroup, tookMs };
  }

  return { breaker, deliver };
}
