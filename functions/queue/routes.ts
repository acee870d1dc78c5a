/** Routes of the queue function: for each queue that wakes it, its destination and what protects its messages. */
import type { Environment } from '../environment.ts';
import type { RelayError } from '../error.ts';
import { queueUrlOf } from '../message/queue-url.ts';
import { triedBefore } from '../message/queued.ts';
import type { Route, Routes } from '../relay/relay.ts';
import { sideOf } from '../relay/side.ts';
import type { Cutover, Destination } from '../settings/destination.ts';
import { destinationOfQueue } from '../settings/settings.ts';
import type { QueueRoute, Way } from './batch.ts';
import { createBreaker } from './breaker.ts';
import { createBudget } from './budget.ts';
import { createDeadLetterWriter } from './dead-letter.ts';
import { isGivenUp } from './letter.ts';
import { createPointedSender } from './payload.ts';

/** @returns the route of a queue's messages; undefined if no destination has the queue */
export function createQueueRoutes(environment: Environment): (queueArn: string) => QueueRoute | undefined {
  const { settings, sqs, s3, telemetry, now, routes } = environment;
  const budget = createBudget(memoryBytes() / 4);
  const known = new Map<string, QueueRoute>();

  function usable(destination: Destination, { route, newSide }: Routes, queueArn: string): QueueRoute {
    const { name, concurrency, payloadBucket, payloadBuckets, deletePayloads, cutover } = destination;
    const buckets = payloadBucket === undefined ? payloadBuckets : [payloadBucket, ...payloadBuckets];
    return {
      ...unusable(name, route, queueArn),
      ...wayOf(destination, route),
      ...(cutover === undefined || newSide === undefined ? {} : { cutover: cutoverOf(cutover, newSide) }),
      concurrency,
      pointedSender: createPointedSender({ s3, buckets, budget, deleteDelivered: deletePayloads, telemetry }),
      isGivenUp: (outcome, queued) => isGivenUp(outcome, queued, destination, now()),
    };
  }

  /** @param destination of one side of a cut-over, where there is one */
  function wayOf(destination: Destination, route: Route): Way {
    const writeDeadLetter = createDeadLetterWriter({ destination, sqs, s3, telemetry, now });
    return { route, breaker: createBreaker(), writeDeadLetter };
  }

  function cutoverOf(cutover: Cutover, newSide: Route): NonNullable<QueueRoute['cutover']> {
    return {
      newSide: wayOf(cutover.newSide, newSide),
      sideOf(queued) {
        const { side, sentAt = queued.sentAt } = triedBefore(queued);
        return side ?? sideOf(cutover, sentAt, queued.group ?? queued.messageId);
      },
    };
  }

  /** Each message gets a log line that names the mistake; none is given up before an operator has corrected it. */
  function unusable(destination: string, route: Route | RelayError, queueArn: string): QueueRoute {
    const queueUrl = queueUrlOf(queueArn);
    return {
      destination,
      route,
      concurrency: 1,
      breaker: { isOpen: false, isBlocked: false, record: () => undefined },
      pointedSender: createPointedSender({ s3, buckets: [], budget, deleteDelivered: false, telemetry }),
      isGivenUp: (outcome, queued) => isGivenUp(outcome, queued, NO_RETRY_LIMIT, now()),
      writeDeadLetter: async () => false,
      changeVisibility: (entries, signal) => sqs.changeVisibility(queueUrl, entries, signal),
    };
  }

  function routeOf(queueArn: string): QueueRoute | undefined {
    const [name, destination] = destinationOfQueue(queueArn, settings) ?? [];
    if (name === undefined || destination === undefined) return undefined;
    if ('error' in destination) return unusable(name, destination.error, queueArn);
    const route = routes.get(name);
    return route && usable(destination, route, queueArn);
  }

  return function queueRoute(queueArn) {
    const route = known.get(queueArn) ?? routeOf(queueArn);
    if (route !== undefined) known.set(queueArn, route);
    return route;
  };
}

/** The settings of a destination that cannot be used are unknown. SQS's own retention still ends a message's time. */
const NO_RETRY_LIMIT = { retryForHours: Number.POSITIVE_INFINITY };

/** The function's memory, as Lambda sets it in each environment. */
function memoryBytes(): number {
  return Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 128) * 1_048_576;
}
